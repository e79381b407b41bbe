#pragma once
// The members of each part of a report, said once: what writes and what reads JSON both walk them,
// so that they cannot drift apart. `visit(name, member)` is called for each member in order.

#include "report/report_data.hpp"

namespace punie::report {

/// `Part` is the type with or without const: a writer has a const one.
template <typename Part, typename T>
concept PartOf = std::same_as<std::remove_const_t<Part>, T>;

template <PartOf<Fact> P>
void walk(P& part, auto&& visit) {
    visit("name", part.name);
    visit("value", part.value);
}

template <PartOf<Estimate> P>
void walk(P& part, auto&& visit) {
    visit("value", part.value);
    visit("low", part.low);
    visit("high", part.high);
    visit("method", part.method);
    visit("reason", part.reason);
}

template <PartOf<Counts> P>
void walk(P& part, auto&& visit) {
    visit("answered", part.answered);
    visit("cut", part.cut);
    visit("refused", part.refused);
    visit("failed", part.failed);
    visit("not_asked", part.not_asked);
    visit("unparsed", part.unparsed);
    visit("passed", part.passed);
}

template <PartOf<CategoryScore> P>
void walk(P& part, auto&& visit) {
    visit("category", part.category);
    visit("prompts", part.prompts);
    visit("mean", part.mean);
}

template <PartOf<Variant> P>
void walk(P& part, auto&& visit) {
    visit("name", part.name);
    visit("what", part.what);
    visit("source", part.source);
    visit("mean", part.mean);
    visit("prompts", part.prompts);
    visit("samples", part.samples);
    visit("groups", part.groups);
    visit("counts", part.counts);
    visit("categories", part.categories);
    visit("sampling", part.sampling);
    visit("identity", part.identity);
    visit("model_bytes", part.model_bytes);
    visit("bits_per_weight", part.bits_per_weight);
    visit("seconds", part.seconds);
    visit("tokens_per_second", part.tokens_per_second);
    visit("notes", part.notes);
}

template <PartOf<Difference> P>
void walk(P& part, auto&& visit) {
    visit("baseline", part.baseline);
    visit("other", part.other);
    visit("category", part.category);
    visit("exploratory", part.exploratory);
    visit("difference", part.difference);
    visit("prompts", part.prompts);
    visit("groups", part.groups);
    visit("p", part.p);
    visit("p_adjusted", part.p_adjusted);
    visit("p_method", part.p_method);
    visit("claim", part.claim);
    visit("words", part.words);
    visit("smallest_visible", part.smallest_visible);
    visit("prompts_needed", part.prompts_needed);
    visit("power_method", part.power_method);
    visit("won", part.won);
    visit("lost", part.lost);
    visit("same", part.same);
}

template <PartOf<CurvePoint> P>
void walk(P& part, auto&& visit) {
    visit("iteration", part.iteration);
    visit("train_loss", part.train_loss);
    visit("valid_loss", part.valid_loss);
    visit("memory_gb", part.memory_gb);
    visit("tokens_per_second", part.tokens_per_second);
}

template <PartOf<Training> P>
void walk(P& part, auto&& visit) {
    visit("name", part.name);
    visit("best_iteration", part.best_iteration);
    visit("kept_iteration", part.kept_iteration);
    visit("seconds", part.seconds);
    visit("settings", part.settings);
    visit("notes", part.notes);
    visit("points", part.points);
}

template <PartOf<Call> P>
void walk(P& part, auto&& visit) {
    visit("name", part.name);
    visit("arguments", part.arguments);
    visit("path", part.path);
    visit("problem", part.problem);
}

template <PartOf<Judgement> P>
void walk(P& part, auto&& visit) {
    visit("scorer", part.scorer);
    visit("score", part.score);
    visit("passed", part.passed);
    visit("unparsed", part.unparsed);
    visit("reason", part.reason);
    visit("extracted", part.extracted);
}

/// What an answer says, without the figures that the list of prompts shows of it.
template <PartOf<Sample> P>
void walk_texts(P& part, auto&& visit) {
    visit("text", part.text);
    visit("thinking", part.thinking);
    visit("calls", part.calls);
    visit("judgements", part.judgements);
    visit("reason", part.reason);
    visit("error", part.error);
}

template <PartOf<Sample> P>
void walk(P& part, auto&& visit) {
    visit("variant", part.variant);
    visit("number", part.number);
    visit("state", part.state);
    visit("score", part.score);
    visit("passed", part.passed);
    visit("unparsed", part.unparsed);
    visit("seconds", part.seconds);
    visit("completion_tokens", part.completion_tokens);
    walk_texts(part, visit);
}

template <PartOf<Expectation> P>
void walk(P& part, auto&& visit) {
    visit("scorer", part.scorer);
    visit("text", part.text);
    visit("weight", part.weight);
}

template <PartOf<Prompt> P>
void walk(P& part, auto&& visit) {
    visit("id", part.id);
    visit("group", part.group);
    visit("category", part.category);
    visit("messages", part.messages);
    visit("tools", part.tools);
    visit("expectations", part.expectations);
    visit("samples", part.samples);
}

template <PartOf<Finding> P>
void walk(P& part, auto&& visit) {
    visit("code", part.code);
    visit("severity", part.severity);
    visit("file", part.file);
    visit("line", part.line);
    visit("message", part.message);
    visit("why", part.why);
}

template <PartOf<Command> P>
void walk(P& part, auto&& visit) {
    visit("what", part.what);
    visit("text", part.text);
}

template <PartOf<Note> P>
void walk(P& part, auto&& visit) {
    visit("severity", part.severity);
    visit("text", part.text);
}

/// Everything but the prompts, which may be many: the page has them in another form.
template <PartOf<ReportData> P>
void walk_head(P& part, auto&& visit) {
    visit("title", part.title);
    visit("verdict", part.verdict);
    visit("tone", part.tone);
    visit("created", part.created);
    visit("run", part.run);
    visit("punie_version", part.punie_version);
    visit("suite", part.suite);
    visit("notes", part.notes);
    visit("variants", part.variants);
    visit("differences", part.differences);
    visit("trainings", part.trainings);
    visit("data", part.data);
    visit("findings", part.findings);
    visit("environment", part.environment);
    visit("commands", part.commands);
}

template <PartOf<ReportData> P>
void walk(P& part, auto&& visit) {
    walk_head(part, visit);
    visit("prompts", part.prompts);
}

}  // namespace punie::report
