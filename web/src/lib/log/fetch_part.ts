// Range requests for a log. They fail like fetch does, or with the status that was not expected.

export async function sizeOf(address: string, signal?: AbortSignal): Promise<number> {
  const response = await fetch(address, { method: 'HEAD', ...(signal ? { signal } : {}) });
  if (!response.ok) throw new Error(`the log answered ${response.status}`);
  return Number(response.headers.get('Content-Length') ?? 0);
}

/** Exactly the bytes from one place to another, the second one not counted. */
export async function fetchPart(
  address: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const response = await fetch(address, {
    headers: { Range: `bytes=${from}-${to - 1}` },
    ...(signal ? { signal } : {}),
  });
  if (!response.ok) throw new Error(`the log answered ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  // Something between here and the server may not know ranges and send the whole.
  const part = response.status === 200 ? bytes.subarray(from, to) : bytes;
  if (part.length !== to - from) throw new Error('the log is shorter than it was');
  return part;
}
