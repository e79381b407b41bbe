// Figures as a person reads them; the same words as src/report/words.cpp.
import type { Estimate } from "./types";

const minus = "\u2212";
const thin = "\u202f";

function decimals(value: number, places: number): string {
  const text = value.toFixed(places);
  return Number(text) === 0 ? (0).toFixed(places) : text.replace("-", minus);
}

export const percent = (share: number) => `${decimals(share * 100, 1)}${thin}%`;

export function points(difference: number): string {
  const text = decimals(difference * 100, 1);
  return Number(text) > 0 ? `+${text}` : text;
}

export function interval(estimate: Estimate): string {
  if (estimate.low === undefined || estimate.high === undefined) return "";
  return `${decimals(estimate.low * 100, 1)} to ${decimals(estimate.high * 100, 1)}`;
}

export function pValue(p: number | undefined): string {
  if (p === undefined) return "";
  if (p < 0.001) return "p < 0.001";
  return `p = ${p.toFixed(p < 0.1 ? 3 : 2)}`;
}

export const count = (value: number) => value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, thin);

export const counted = (value: number, one: string, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

export function bytes(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} GB`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} MB`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} kB` : `${value} B`;
}

export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const methods: Record<string, string> = {
  wilson: "Wilson interval",
  clustered_cr1: "standard error clustered by group",
  student_t: "Student's t interval",
  rule_of_three: "bound for no variance seen",
  newcombe_paired: "Newcombe's paired interval",
  mcnemar_exact: "exact McNemar test",
  sign_flip_groups: "sign-flip test on groups",
  sign_flip_prompts: "sign-flip test on prompts",
  none: "",
};

/** The name of a statistical method for a person. */
export const method = (name: string | undefined) => (name === undefined ? "" : methods[name] ?? name);
