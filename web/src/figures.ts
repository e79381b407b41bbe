// Variants, differences and categories: the figures between the verdict and the prompts.
import { facts, h, scrolling, section } from "./dom";
import { bytes, count, counted, duration, interval, method, percent, points, pValue } from "./format";
import { aroundZero, axis, shares, track } from "./track";
import type { Claim, Difference, Head, Variant } from "./types";

const tones: Record<Claim, string> = {
  better: "good", worse: "bad", no_visible_difference: "unsure", too_few: "unsure",
};
const claims: Record<Claim, string> = {
  better: "better", worse: "worse", no_visible_difference: "no visible difference", too_few: "too few to tell",
};
const toneOf = (difference: Difference) => (difference.claim ? tones[difference.claim] : "unsure");

function countsOf(variant: Variant): string {
  const counts = variant.counts;
  const parts = [counted(variant.prompts, "prompt")];
  if (variant.samples !== variant.prompts) parts.push(counted(variant.samples, "sample"));
  if (variant.groups > 0 && variant.groups !== variant.prompts) parts.push(counted(variant.groups, "group"));
  const unanswered = counts.refused + counts.failed + counts.not_asked;
  if (unanswered > 0) parts.push(`${count(unanswered)} without an answer`);
  if (counts.cut > 0) parts.push(`${count(counts.cut)} cut`);
  if (counts.unparsed > 0) parts.push(`${count(counts.unparsed)} with nothing to judge`);
  return parts.join(", ");
}

function variantRow(variant: Variant): HTMLElement {
  return h("tr", {},
    h("th", { scope: "row" }, variant.name, variant.what ? h("small", {}, variant.what) : null),
    h("td", { class: "chart" }, track(shares, variant.mean)),
    h("td", { class: "figure" }, h("strong", {}, percent(variant.mean.value)),
      h("small", {}, interval(variant.mean) || variant.mean.reason || "no interval")),
    h("td", { class: "beside" }, h("small", {}, countsOf(variant))));
}

function numbersTable(variants: readonly Variant[]): HTMLElement {
  const columns: [string, (variant: Variant) => string][] = [
    ["prompts", (v) => count(v.prompts)], ["answered", (v) => count(v.counts.answered)],
    ["passed", (v) => count(v.counts.passed)], ["cut", (v) => count(v.counts.cut)],
    ["refused", (v) => count(v.counts.refused)], ["failed", (v) => count(v.counts.failed)],
    ["not asked", (v) => count(v.counts.not_asked)], ["nothing to judge", (v) => count(v.counts.unparsed)],
    ["size", (v) => (v.model_bytes === undefined ? "" : bytes(v.model_bytes))],
    ["bits a weight", (v) => (v.bits_per_weight === undefined ? "" : v.bits_per_weight.toFixed(2))],
    ["time", (v) => (v.seconds === undefined ? "" : duration(v.seconds))],
    ["tokens/s", (v) => (v.tokens_per_second === undefined ? "" : v.tokens_per_second.toFixed(1))],
    ["interval by", (v) => method(v.mean.method)],
  ];
  const shown = columns.filter(([, text]) => variants.some((v) => text(v) !== ""));
  return scrolling("All figures of the variants", h("table", { class: "numbers" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "variant"),
      shown.map(([name]) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, variants.map((v) => h("tr", {}, h("th", { scope: "row" }, v.name),
      shown.map(([, text]) => h("td", {}, text(v))))))));
}

function identity(variant: Variant): HTMLElement {
  return h("div", { class: "identity" }, h("h3", {}, variant.name),
    facts([...(variant.source ? [{ name: "from", value: variant.source }] : []),
      ...(variant.identity ?? []), ...(variant.sampling ?? [])]));
}

export function variantsSection(head: Head): HTMLElement | null {
  const variants = head.variants ?? [];
  if (variants.length === 0) return null;
  const notes = variants.flatMap((v) => (v.notes ?? []).map((note) => `${v.name}: ${note}`));
  return section("variants", "Variants",
    h("table", { class: "forest" },
      h("caption", {}, "Mean score of each variant, in percent, with its 95 % interval"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "variant"),
        h("td", { class: "chart" }, axis(shares)), h("th", { scope: "col", class: "figure" }, "score"),
        h("th", { scope: "col", class: "beside" }, "asked"))),
      h("tbody", {}, variants.map(variantRow))),
    notes.length > 0 && h("ul", { class: "plain" }, notes.map((note) => h("li", {}, note))),
    h("details", {}, h("summary", {}, "All figures, sampling and identity"),
      numbersTable(variants), h("div", { class: "identities" }, variants.map(identity))));
}

const pairName = (head: Head, d: Difference) =>
  `${head.variants?.[d.other]?.name ?? ""} against ${head.variants?.[d.baseline]?.name ?? ""}`;

function differenceRow(head: Head, d: Difference, scale: ReturnType<typeof aroundZero>): HTMLElement {
  const p = d.p_adjusted ?? d.p;
  return h("tr", {},
    h("th", { scope: "row" }, pairName(head, d), d.claim ? h("small", { class: "claim", "data-tone": toneOf(d) }, claims[d.claim]) : null),
    h("td", { class: "chart" }, track(scale, d.difference, toneOf(d))),
    h("td", { class: "figure" }, h("strong", {}, points(d.difference.value)), h("small", {}, interval(d.difference))),
    h("td", { class: "beside" }, h("small", {}, pValue(p) || "no test"),
      h("small", {}, `${count(d.won)} won, ${count(d.lost)} lost, ${count(d.same)} same`)));
}

function power(d: Difference): string {
  const parts = [];
  if (d.smallest_visible !== undefined)
    parts.push(`The smallest difference that these ${counted(d.prompts, "prompt")} could show is about ${(d.smallest_visible * 100).toFixed(1)} points.`);
  if (d.prompts_needed !== undefined && d.claim !== "better" && d.claim !== "worse")
    parts.push(`To show the difference seen would take about ${counted(d.prompts_needed, "prompt")}.`);
  return parts.join(" ");
}

const sentence = (words: string) => (words === "" || /[.!?]$/.test(words) ? words : `${words}.`);

function methodsOf(d: Difference): string {
  const parts = [method(d.difference.method), method(d.p_method)].filter((part) => part !== "");
  if (d.p_adjusted !== undefined) parts.push("corrected for several comparisons (Holm)");
  return parts.join(", ");
}

export function differencesSection(head: Head): HTMLElement | null {
  const overall = (head.differences ?? []).filter((d) => !d.category);
  if (overall.length === 0) return null;
  const scale = aroundZero(overall.map((d) => d.difference));
  return section("differences", "Differences",
    h("table", { class: "forest" },
      h("caption", {}, "Difference of mean scores on the same prompts, in points, with its 95 % interval"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "compared"),
        h("td", { class: "chart" }, axis(scale)), h("th", { scope: "col", class: "figure" }, "points"),
        h("th", { scope: "col", class: "beside" }, "how sure"))),
      h("tbody", {}, overall.map((d) => differenceRow(head, d, scale)))),
    h("ul", { class: "words" }, overall.map((d) => h("li", {},
      h("strong", {}, `${pairName(head, d)}: `), sentence(d.words ?? ""), " ", power(d),
      h("small", {}, methodsOf(d))))));
}

export function categoriesSection(head: Head): HTMLElement | null {
  const variants = head.variants ?? [];
  const names = [...new Set(variants.flatMap((v) => (v.categories ?? []).map((c) => c.category ?? "")))].sort();
  if (names.length === 0) return null;
  const byCategory = (head.differences ?? []).filter((d) => d.category);
  const rows = names.flatMap((name) => variants.map((variant, at) => {
    const score = variant.categories?.find((c) => (c.category ?? "") === name);
    const change = byCategory.find((d) => d.category === name && d.other === at && d.baseline === 0);
    return h("tr", { class: at === 0 ? "first" : null },
      at === 0 && h("th", { scope: "rowgroup", rowspan: variants.length, class: "group" }, name || "none",
        score ? h("small", {}, counted(score.prompts, "prompt")) : null),
      h("th", { scope: "row" }, variant.name),
      h("td", { class: "chart" }, score ? track(shares, score.mean) : null),
      h("td", { class: "figure" }, score ? [h("strong", {}, percent(score.mean.value)), h("small", {}, interval(score.mean))] : "not asked"),
      h("td", { class: "beside" }, change ? [
        h("small", { class: "claim", "data-tone": toneOf(change) }, `${points(change.difference.value)} points`),
        h("small", {}, change.exploratory ? "exploratory" : pValue(change.p_adjusted ?? change.p))] : null));
  }));
  return section("categories", "Categories",
    h("table", { class: "forest categories" },
      h("caption", {}, "Mean score by category, in percent, with its 95 % interval"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "category"), h("th", { scope: "col" }, "variant"),
        h("td", { class: "chart" }, axis(shares)), h("th", { scope: "col", class: "figure" }, "score"),
        h("th", { scope: "col", class: "beside" }, `against ${variants[0]?.name ?? ""}`))),
      h("tbody", {}, rows)),
    byCategory.some((d) => d.exploratory) && h("p", { class: "hint" },
      "Exploratory: the category was not named before looking, so its difference is a hint and no finding."));
}
