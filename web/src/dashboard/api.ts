// Questions to the gateway that served this page. The key lives in this module and nowhere else: it
// is in no storage, and gone when the page is.

let key = "";

/** The key that came with the address, as `punie serve` prints it, is taken out of it at once. */
export function takeKeyFromAddress(): void {
  const given = /^#key=([^&]+)$/.exec(location.hash)?.[1];
  if (given === undefined) return;
  key = decodeURIComponent(given);
  history.replaceState(null, "", location.pathname + location.search);
}

export function setKey(value: string): void {
  key = value.trim();
}

export const hasKey = () => key !== "";

/** What the gateway refused, in its own words. */
export class Refused extends Error {
  readonly status: number;
  readonly hint: string;

  constructor(status: number, message: string, hint = "") {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** The gateway cannot be reached at all. */
export class Unreachable extends Error {}

async function refusal(response: Response): Promise<Refused> {
  const text = await response.text().catch(() => "");
  try {
    const error = (JSON.parse(text) as { error?: { message?: string; hint?: string } }).error;
    if (error?.message) return new Refused(response.status, error.message, error.hint);
  } catch { /* not JSON: the status has to do */ }
  return new Refused(response.status, `the gateway answered with status ${response.status}`);
}

export async function ask(path: string, options: { method?: string; body?: unknown; signal?: AbortSignal } = {}): Promise<Response> {
  const headers: Record<string, string> = {};
  if (key) headers["Authorization"] = `Bearer ${key}`;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method: options.method ?? "GET",
      headers,
      cache: "no-store",
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Unreachable("the gateway does not answer");
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/** Pieces of an answer's text as they arrive, cut at line ends. */
export async function* lines(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      held += value;
      const whole = held.split("\n");
      held = whole.pop() ?? "";
      yield* whole;
    }
    if (held) yield held;
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

export const modelPath = (name: string, what: string) =>
  `/control/models/${name.split("/").map(encodeURIComponent).join("/")}/${what}`;
