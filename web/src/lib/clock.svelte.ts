// The time of day as reactive state, once a second while the page is visible. One timer for everything that shows time.

class Clock {
  now = $state(Date.now());

  start(): void {
    setInterval(() => {
      if (document.visibilityState === 'visible') this.now = Date.now();
    }, 1000);
  }
}

export const clock = new Clock();
