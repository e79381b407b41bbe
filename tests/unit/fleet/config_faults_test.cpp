// Every fault of punie.yaml has its place, what was found and what is allowed; all of them at once.

#include "config_fixture.hpp"

namespace punie::fleet {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Bad {
    const char* name;
    const char* text;
    const char* place;
    const char* words;
};

class BadConfig : public ConfigFixture, public testing::WithParamInterface<Bad> {};

TEST_P(BadConfig, IsRefusedWithPlaceAndReason) {
    const auto message = faults(GetParam().text);
    EXPECT_THAT(message, HasSubstr(std::string("punie.yaml:") + GetParam().place + ":"));
    EXPECT_THAT(message, HasSubstr(GetParam().words));
    EXPECT_THAT(message, Not(HasSubstr("s3cret")));
}

INSTANTIATE_TEST_SUITE_P(
    Syntax,
    BadConfig,
    testing::Values(
        Bad{"empty", "", "1:1", "expected keys and values, found nothing"},
        Bad{"list", "- a\n", "1:1", "expected keys and values, found a list"},
        Bad{"no_models", "memory: 8 GB\n", "1:1", "there is no model"},
        Bad{"empty_models", "models: {}\n", "1:9", "there is no model"},
        Bad{"tab", "models:\n\ta: /a\n", "2:3", "tab"},
        Bad{"twice", "models: {a: /a}\nmodels: {b: /b}\n", "2:1", "stands twice"},
        Bad{"model_twice", "models:\n  a: /a\n  a: /b\n", "3:3", "stands twice"},
        Bad{"norway",
            "models:\n  a: {path: /a, pin: yes}\n",
            "2:22",
            "true or false, found the text \"yes\""},
        Bad{"unknown_key", "modles: {a: /a}\n", "1:1", "did you mean `models`?"},
        Bad{"unknown_of_model", "models:\n  a: {path: /a, tll: 5m}\n", "2:17", "did you mean `ttl`?"
        },
        Bad{"unknown_of_listen", "models: {a: /a}\nlisten: {hots: x}\n", "2:10", "`hosts`"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

INSTANTIATE_TEST_SUITE_P(
    Values,
    BadConfig,
    testing::Values(
        Bad{"port",
            "models: {a: /a}\nlisten: {port: 70000}\n",
            "2:16",
            "from 0 to 65535, found the number 70000"},
        Bad{"port_text",
            "models: {a: /a}\nlisten: {port: http}\n",
            "2:16",
            "found the text \"http\""},
        Bad{"size_without_unit",
            "models: {a: /a}\nmemory: 8\n",
            "2:9",
            "a size with its unit, such as 8 GB"},
        Bad{"time_without_unit",
            "models:\n  a: {path: /a, ttl: 600}\n",
            "2:22",
            "a time with its unit"},
        Bad{"ttl_zero", "models:\n  a: {path: /a, ttl: 0s}\n", "2:22", "after each answer"},
        Bad{"flag", "models:\n  a: {path: /a, pin: 1}\n", "2:22", "true or false"},
        Bad{"temperature",
            "models:\n  a: {path: /a, sampling: {temperature: 3}}\n",
            "2:41",
            "from 0 to 2"},
        Bad{"top_p_zero", "models:\n  a: {path: /a, sampling: {top_p: 0}}\n", "2:6", "top_p"},
        Bad{"backend", "models:\n  a: {path: /a, backend: olama}\n", "2:26", "mlx, llama or vllm"},
        Bad{"no_path", "models:\n  a: {pin: true}\n", "2:6", "needs `path`"},
        Bad{"dash_path", "models:\n  a: {path: x, arguments: {}}\n", "2:27", "a list of texts"},
        Bad{"name", "models:\n  \"a b\": /a\n", "2:10", "no name for a model"},
        Bad{"alias", "models:\n  a: {path: /a, aliases: [\"\"]}\n", "2:26", "no name for a model"},
        Bad{"adapters_of_llama",
            "models:\n  a: {path: /a.gguf, adapters: {x: /x}}\n",
            "2:32",
            "only mlx"},
        Bad{"adapters_list",
            "models:\n  a: {path: /a, adapters: [x]}\n",
            "2:27",
            "names and folders"},
        Bad{"parallel", "models:\n  a: {path: /a, parallel: 0}\n", "2:27", "from 1"},
        Bad{"queue", "models: {a: /a}\nqueue: {requests: 0}\n", "2:19", "from 1"},
        Bad{"unset", "models: {a: \"${NOWHERE}/a\"}\n", "1:13", "NOWHERE is not set"},
        Bad{"dollar", "models: {a: \"$HOME/a\"}\n", "1:13", "${NAME}"},
        Bad{"no_listen", "models: {a: /a}\nlisten: []\n", "2:9", "an empty list"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

INSTANTIATE_TEST_SUITE_P(
    Secrets,
    BadConfig,
    testing::Values(
        Bad{"inline_key",
            "models: {a: /a}\nkeys: [{name: me, key: s3cret}]\n",
            "2:19",
            "does not stand in this file"},
        Bad{"bare_key", "models: {a: /a}\nkeys: [s3cret]\n", "2:8", "does not stand in this file"},
        Bad{"inline_value",
            "models: {a: /a}\nkeys:\n  - {name: me, value: s3cret, key_env: MY_KEY}\n",
            "3:16",
            "key_file"},
        Bad{"upstream_key",
            "models:\n  a: {upstream: {url: \"http://h/v1\", api_key: s3cret}}\n",
            "2:38",
            "key_env"},
        Bad{"password_in_url",
            "models:\n  a: {upstream: {url: \"http://me:s3cret@h/v1\"}}\n",
            "2:17",
            "key_env"},
        Bad{"both",
            "models: {a: /a}\nkeys: [{name: me, key_file: key, key_env: MY_KEY}]\n",
            "2:8",
            "either"},
        Bad{"neither", "models: {a: /a}\nkeys: [{name: me}]\n", "2:8", "either"},
        Bad{"no_such_file",
            "models: {a: /a}\nkeys: [{name: me, key_file: nofile}]\n",
            "2:8",
            "nofile"},
        Bad{"no_such_variable",
            "models: {a: /a}\nkeys: [{name: me, key_env: NO_KEY}]\n",
            "2:8",
            "NO_KEY is not set"},
        Bad{"no_such_line",
            "models: {a: /a}\nkeys: [{name: eve, key_file: keys}]\n",
            "2:8",
            "\"eve KEY\""},
        Bad{"no_name", "models: {a: /a}\nkeys: [{key_file: key}]\n", "2:8", "without names"},
        Bad{"same_name",
            "models: {a: /a}\nkeys: [{name: ann, key_file: keys}, {name: ann, key_file: key}]\n",
            "2:37",
            "two keys named ann"},
        Bad{"same_value",
            "models: {a: /a}\nkeys: [{name: x, key_file: key}, {name: y, key_file: key}]\n",
            "2:34",
            "same key"},
        Bad{"unknown_model",
            "models: {a: /a}\nkeys: [{name: x, key_file: key, models: [c]}]\n",
            "2:8",
            "no model `c`"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

INSTANTIATE_TEST_SUITE_P(
    Whole,
    BadConfig,
    testing::Values(
        Bad{"alias_is_a_model",
            "models:\n  a: {path: /a, aliases: [b]}\n  b: /b\n",
            "2:3",
            "also a name of b"},
        Bad{"same_alias",
            "models:\n  a: {path: /a, aliases: [x]}\n  b: {path: /b, aliases: [x]}\n",
            "3:3",
            "alias `x`"},
        Bad{"adapter_is_a_model",
            "models:\n  a: {path: /a, adapters: {x: /x}}\n  a:x: /b\n",
            "2:3",
            "adapter's name `a:x`"},
        Bad{"group_of_unknown",
            "models: {coder: /a}\ngroups:\n  g: {models: [codr]}\n",
            "3:3",
            "did you mean `coder`?"},
        Bad{"group_without_models",
            "models: {a: /a}\ngroups:\n  g: {together: false}\n",
            "3:3",
            "names its `models`"},
        Bad{"pinned_in_group",
            "models:\n  a: {path: /a, pin: true}\n  b: /b\ngroups:\n  g: {models: [a, b], "
            "together: false}\n",
            "5:3",
            "could never be loaded"},
        Bad{"pinned_alone",
            "models:\n  a: {path: /a, pin: true}\n  b: /b\ngroups:\n  g: {models: [a], exclusive: "
            "true}\n",
            "5:3",
            "could never be loaded"},
        Bad{"group_of_upstream",
            "models:\n  a: {upstream: {url: \"http://h/v1\"}}\ngroups:\n  g: {models: [a]}\n",
            "4:3",
            "not ours"},
        Bad{"fallback_unknown", "models:\n  a: {path: /a, fallbacks: [b]}\n", "2:3", "no model `b`"
        },
        Bad{"fallback_itself",
            "models:\n  a: {path: /a, fallbacks: [a]}\n",
            "2:3",
            "back to the model itself"},
        Bad{"fallback_circle",
            "models:\n  a: {path: /a, fallbacks: [b]}\n  b: {path: /b, fallbacks: [c]}\n  c: "
            "{path: /c, fallbacks: [a]}\n",
            "3:3",
            "back to the model itself"},
        Bad{"over_the_budget",
            "models:\n  a: {path: /a, memory: 9 GB}\nmemory: 8 GB\n",
            "2:3",
            "over the budget of 8.00 GB"},
        Bad{"pinned_too_large",
            "models:\n  a: {path: /a, memory: 5 GB, pin: true}\n  b: {path: /b, memory: 5 GB, pin: "
            "true}\nmemory: 8 GB\n",
            "4:9",
            "pinned models need 10.0 GB"},
        Bad{"preloaded_too_large",
            "models:\n  a: {path: /a, memory: 5 GB, preload: true}\n  b: {path: /b, memory: 5 GB, "
            "pin: true}\nmemory: 8 GB\n",
            "4:9",
            "pinned and preloaded models"},
        Bad{"certificate_alone",
            "models: {a: /a}\nlisten: {certificate: c.pem}\n",
            "2:9",
            "TLS needs both"},
        Bad{"key_alone", "models: {a: /a}\nlisten: {key: k.pem}\n", "2:9", "TLS needs both"},
        Bad{"open_to_all",
            "models: {a: /a}\nlisten: {host: 0.0.0.0}\n",
            "2:9",
            "listen on 127.0.0.1"},
        Bad{"open_to_all_6",
            "models: {a: /a}\nlisten: {host: \"::\"}\n",
            "2:9",
            "there are no `keys`"},
        Bad{"same_port",
            "models: {a: /a}\nlisten:\n  - {port: 1234}\n  - {port: 1234}\n",
            "4:5",
            "stands twice"},
        Bad{"control_port_missing",
            "models: {a: /a}\ncontrol: {listen: {host: 127.0.0.1}}\n",
            "2:19",
            "must be given"},
        Bad{"control_without_key",
            "models: {a: /a}\ncontrol: {listen: {port: 9000}}\n",
            "2:19",
            "control: true"},
        Bad{"upstream_with_path",
            "models:\n  a: {upstream: {url: \"http://h/v1\"}, path: /a}\n",
            "2:39",
            "no meaning with `upstream`"},
        Bad{"upstream_with_ttl",
            "models:\n  a: {upstream: {url: \"http://h/v1\"}, ttl: 5m}\n",
            "2:39",
            "no meaning with `upstream`"},
        Bad{"upstream_url", "models:\n  a: {upstream: {url: host/v1}}\n", "2:17", "host/v1"},
        Bad{"upstream_without_url",
            "models:\n  a: {upstream: {model: x}}\n",
            "2:17",
            "`url` is missing"}
    ),
    [](const auto& info) { return std::string(info.param.name); }
);

TEST_F(ConfigFixture, AllFaultsComeAtOnce) {
    const auto message = faults(R"(
listen: {host: 0.0.0.0, prot: 1}
models:
  a: {path: /a, ttl: 5, fallbacks: [zz]}
  b: {pin: maybe}
groups:
  g: {models: [c]}
)");
    EXPECT_THAT(
        message,
        AllOf(
            HasSubstr(":2:25: listen.prot: unknown key; did you mean `port`?"),
            HasSubstr(":4:22: models.a.ttl: expected a time"),
            HasSubstr(":5:6: models.b.path"),
            HasSubstr(":5:12: models.b.pin"),
            HasSubstr("models.a.fallbacks"),
            HasSubstr("groups.g"),
            HasSubstr("there are no `keys`")
        )
    );
}

TEST_F(ConfigFixture, AKeyThatCannotBeReadIsNoMissingKey) {
    const auto message =
        faults("models: {a: /a}\nlisten: {host: 0.0.0.0}\nkeys: [{name: me, key_file: nofile}]\n");
    EXPECT_THAT(message, Not(HasSubstr("there are no `keys`")));
}

}  // namespace
}  // namespace punie::fleet
