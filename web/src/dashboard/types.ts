// What the control API answers; docs/control.md describes each field.

export interface Failure {
  code: string;
  message: string;
  hint?: string;
  log?: string[];
}

export type State = "stopped" | "starting" | "loading" | "ready" | "draining" | "failed";

export interface Model {
  name: string;
  aliases: string[];
  adapters: string[];
  adapter_loaded?: string;
  backend: string;
  path: string;
  state: State;
  reason?: string;
  error?: Failure;
  since: string;
  unloads_at?: string;
  retries_at?: string;
  memory: number;
  memory_needed?: number;
  load_seconds?: number;
  running: number;
  waiting: number;
  served: number;
  loads: number;
  crashes: number;
  pinned: boolean;
}

export interface Ps {
  version: string;
  pid: number;
  now: string;
  started: string;
  file?: string;
  memory: { budget: number; used: number };
  models: Model[];
}

export interface Live {
  number: number;
  id: string;
  route: string;
  model: string;
  peer: string;
  key?: string;
  phase: string;
  seconds: number;
  tokens: number;
}

export interface Finished {
  number: number;
  time: string;
  id: string;
  method: string;
  route: string;
  model: string;
  key?: string;
  peer: string;
  status: number;
  stream: boolean;
  torn: boolean;
  attempts: number;
  waited_s: number;
  first_byte_s?: number;
  total_s: number;
  tokens_in: number;
  tokens_out: number;
  error?: string;
  reason?: string;
}

export interface Happening {
  number: number;
  time: string;
  model?: string;
  what: string;
  text: string;
  state?: State;
}

/** A line of /control/watch. */
export interface Told {
  ps: Ps;
  live: Live[];
  events: Happening[];
  requests: Finished[];
}
