// How this person likes to read logs, kept in this browser.

function stored(name: string): boolean {
  try {
    return localStorage.getItem(`log-${name}`) === 'yes';
  } catch {
    // Where a browser keeps nothing, nothing is remembered.
    return false;
  }
}

function store(name: string, value: boolean): void {
  try {
    localStorage.setItem(`log-${name}`, value ? 'yes' : 'no');
  } catch {
    // As above.
  }
}

class LogChoices {
  wrap = $state(stored('wrap'));
  moments = $state(stored('moments'));

  setWrap(value: boolean): void {
    this.wrap = value;
    store('wrap', value);
  }

  setMoments(value: boolean): void {
    this.moments = value;
    store('moments', value);
  }
}

export const logChoices = new LogChoices();
