#pragma once
// A small report with something in every part, made by hand.

#include "report/report_data.hpp"

namespace punie::report {

inline Prompt sample_prompt() {
    Prompt prompt;
    prompt.id = "light-on";
    prompt.group = "lights";
    prompt.category = "single-call";
    prompt.messages = {
        json::object{{"role", "system"}, {"content", "You control a house."}},
        json::object{{"role", "user"}, {"content", "Turn on the light."}}
    };
    prompt.tools = {json::object{{"type", "function"}}};
    prompt.expectations = {{.scorer = "tool_call", .text = "{\"name\":\"set_light\"}", .weight = 2}
    };
    prompt.samples = {
        {.variant = 0,
         .score = 0,
         .unparsed = true,
         .text = "I cannot <b>do</b> that.",
         .reason = "no call came",
         .seconds = 0.25,
         .completion_tokens = 7},
        {.variant = 1,
         .score = 1,
         .passed = true,
         .thinking = "A light.",
         .calls = {{.name = "set_light", .arguments = "{\"on\":true}", .path = "hermes"}},
         .judgements =
             {{.scorer = "tool_call", .score = 1, .passed = true, .extracted = "set_light(...)"}},
         .reason = "set_light as expected",
         .seconds = 0.5,
         .completion_tokens = 12}
    };
    return prompt;
}

inline Variant sample_variant(std::string name, double mean) {
    Variant variant;
    variant.name = std::move(name);
    variant.what = "a model";
    variant.source = "eval-1";
    variant.mean = {.value = mean, .low = 0.1, .high = 0.9, .method = "wilson"};
    variant.prompts = 2;
    variant.samples = 2;
    variant.groups = 1;
    variant.counts = {.answered = 1, .failed = 1, .passed = 1};
    variant.categories = {
        {.category = "single-call", .prompts = 1, .mean = {.value = mean, .method = "none"}}
    };
    variant.sampling = {{"temperature", "0"}};
    variant.identity = {{"template", "sha256:ab"}};
    variant.model_bytes = 269060552;
    variant.bits_per_weight = 4.5;
    variant.seconds = 12.5;
    variant.tokens_per_second = 88.25;
    variant.notes = {"asked once"};
    return variant;
}

inline ReportData sample_data() {
    ReportData data;
    data.title = "Home tools";
    data.verdict = "The tuned model is better.";
    data.tone = Tone::good;
    data.created = "2026-11-24 09:31 UTC";
    data.run = "experiment-1";
    data.punie_version = "0.1.0";
    data.suite = "home";
    data.notes = {{.severity = "warning", .text = "1 sample has no answer"}};
    data.variants = {sample_variant("base", 0), sample_variant("tuned", 1)};
    data.differences = {
        {.other = 1,
         .difference = {.value = 0.661, .low = 0.5, .high = 0.8, .method = "newcombe_paired"},
         .prompts = 60,
         .groups = 20,
         .p = 0.0004,
         .p_adjusted = 0.0008,
         .p_method = "mcnemar_exact",
         .claim = "better",
         .words = "better by 66.1 points",
         .smallest_visible = 0.12,
         .prompts_needed = 20,
         .power_method = "connor_1987",
         .won = 40,
         .lost = 1,
         .same = 19},
        {.other = 1, .category = "single-call", .exploratory = true, .claim = "too_few"}
    };
    data.trainings = {
        {.name = "tuned",
         .points =
             {{.iteration = 10, .train_loss = 2.5, .valid_loss = 2.6, .memory_gb = 1.2},
              {.iteration = 20, .train_loss = 0.5, .tokens_per_second = 640}},
         .best_iteration = 10,
         .kept_iteration = 10,
         .seconds = 30,
         .settings = {{"rank", "8"}},
         .notes = {"2 rows left over"}}
    };
    data.prompts = {sample_prompt()};
    data.data = {{"rows", "242"}};
    data.findings = {
        {.code = "D203",
         .severity = "error",
         .file = "train.jsonl",
         .line = 17,
         .message = "row 17 is also in test.jsonl",
         .why = "the score says nothing"}
    };
    data.environment = {{"system", "Debian 12"}};
    data.commands = {{.what = "the experiment", .text = "punie run e.yaml"}};
    return data;
}

}  // namespace punie::report
