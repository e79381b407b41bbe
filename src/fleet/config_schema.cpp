// The published JSON Schema of punie.yaml. Its words are what an editor shows; a test holds its
// keys against those that the reader looks for.
#include "fleet/gateway_config.hpp"

namespace punie::fleet {

namespace {

constexpr std::string_view schema = R"schema({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "$id": "https://punie.dev/schema/punie.yaml.json",
  "title": "punie.yaml",
  "description": "What `punie serve punie.yaml` serves, where and to whom. ${NAME} in a value is the environment's; $$ is a $.",
  "type": "object",
  "required": ["models"],
  "additionalProperties": false,
  "properties": {
    "listen": {
      "description": "Where requests are taken; one address or a list. Default: 127.0.0.1:8080.",
      "anyOf": [
        {"$ref": "#/definitions/listen"},
        {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/listen"}}
      ]
    },
    "control": {"$ref": "#/definitions/control"},
    "keys": {
      "description": "Who may ask. Without any, only loopback addresses may be listened on.",
      "type": "array",
      "items": {"$ref": "#/definitions/key"}
    },
    "models": {
      "description": "What is served, by name: a mapping, or only the path.",
      "type": "object",
      "minProperties": 1,
      "propertyNames": {"$ref": "#/definitions/name"},
      "additionalProperties": {
        "anyOf": [
          {"$ref": "#/definitions/model"},
          {"type": "string", "minLength": 1, "description": "Folder, .gguf file or org/name."}
        ]
      }
    },
    "groups": {
      "description": "Models that may, or may not, be loaded together, by the group's name.",
      "type": "object",
      "additionalProperties": {"$ref": "#/definitions/group"}
    },
    "queue": {"$ref": "#/definitions/queue"},
    "memory": {
      "description": "What all loaded models may need together. Default: what the machine has (macOS: the GPU's recommended working set; else total memory but for a fifth, at most 2 GB).",
      "$ref": "#/definitions/size"
    },
    "mlx_lm": {
      "description": "Where mlx_lm is: a virtual environment, its bin folder or its python. Default: looked for, as `punie doctor` says.",
      "type": "string"
    },
    "log_folder": {
      "description": "Folder for rotating logs of the servers, one a model. Default: none, the last lines are kept in memory.",
      "type": "string"
    },
    "capture": {
      "description": "File to which requests and answers are written, for making suites of them. Default: off.",
      "type": "string"
    },
    "state_folder": {
      "description": "Where measured memory and load times are remembered. Default: Punie's cache folder.",
      "type": "string"
    }
  },
  "definitions": {
    "name": {
      "type": "string",
      "pattern": "^[A-Za-z0-9._:/@+-]{1,200}$"
    },
    "names": {
      "anyOf": [
        {"type": ["string", "number"]},
        {"type": "array", "items": {"type": ["string", "number"]}}
      ]
    },
    "size": {
      "description": "A number with its unit: 8 GB (1e9 bytes each), 512 MB, 4 GiB (2^30 each).",
      "type": "string",
      "pattern": "^ *[0-9]*\\.?[0-9]+ *([KMGTkmgt]([Ii]?[Bb])?|[Bb]) *$"
    },
    "time": {
      "description": "Numbers with their units: 30s, 10m, 1h30m, 2d, 500ms.",
      "type": "string",
      "pattern": "^ *([0-9]*\\.?[0-9]+ *(ms|s|min|m|h|d) *)+$"
    },
    "port": {
      "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 65535},
        {"type": "string", "pattern": "\\$\\{"}
      ]
    },
    "listen": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "host": {"description": "Address or name to listen on. Default: 127.0.0.1.", "type": "string"},
        "port": {"description": "Default: 8080; 0 takes a free one.", "$ref": "#/definitions/port"},
        "certificate": {"description": "PEM file; with `key`: TLS. Read again when it changes.", "type": "string"},
        "key": {"description": "PEM file with the certificate's private key.", "type": "string"},
        "hosts": {"description": "Further names that a Host header may have; others are refused (DNS rebinding).", "$ref": "#/definitions/names"},
        "origins": {"description": "Web pages that may call (CORS), such as https://chat.example. Default: none.", "$ref": "#/definitions/names"}
      }
    },
    "control": {
      "description": "The control API (ps, load, unload, logs, events): a Unix socket, and an own port if wanted.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "socket": {"description": "Path of the Unix socket (mode 0600). Default: in the state folder.", "type": "string"},
        "listen": {
          "description": "A port of its own; needs a key with `control: true`.",
          "allOf": [{"$ref": "#/definitions/listen"}],
          "required": ["port"]
        }
      }
    },
    "key": {
      "description": "A key and what it may do. Its value never stands in this file.",
      "type": "object",
      "additionalProperties": false,
      "oneOf": [{"required": ["key_file"]}, {"required": ["key_env"]}],
      "properties": {
        "name": {"description": "Shown in logs and metrics. Default: the variable's name, or each name in the file.", "type": ["string", "number"]},
        "key_file": {"description": "A file with the key, or with lines \"name key\".", "type": "string"},
        "key_env": {"description": "The environment variable that holds the key.", "type": "string"},
        "models": {"description": "Names it may ask for. Default: all.", "$ref": "#/definitions/names"},
        "requests_per_minute": {"description": "Default: no limit.", "type": "number", "minimum": 0.001},
        "tokens_per_minute": {"description": "Default: no limit.", "type": "number", "minimum": 0.001},
        "control": {"description": "Whether it may use the control API. Default: false.", "type": "boolean"},
        "priority": {"description": "Of its requests; higher ones are served first. Default: 0.", "type": "integer", "minimum": -1000, "maximum": 1000}
      }
    },
    "model": {
      "type": "object",
      "additionalProperties": false,
      "oneOf": [{"required": ["path"]}, {"required": ["upstream"]}],
      "properties": {
        "path": {"description": "Model folder, .gguf file (of several parts the first) or org/name. Relative to this file.", "type": "string", "minLength": 1},
        "backend": {"description": "What serves it. Default: llama for .gguf files, else mlx.", "enum": ["mlx", "llama", "vllm"]},
        "upstream": {"$ref": "#/definitions/upstream"},
        "aliases": {"description": "Other names for it.", "$ref": "#/definitions/names"},
        "fallbacks": {"description": "Names tried when this one cannot be had.", "$ref": "#/definitions/names"},
        "adapter": {"description": "LoRA adapter that it always has (mlx, vllm: folder; llama: file).", "type": "string"},
        "adapters": {
          "description": "Adapters that requests choose as model:name (mlx).",
          "type": "object",
          "additionalProperties": {"type": "string", "minLength": 1}
        },
        "sampling": {"$ref": "#/definitions/sampling"},
        "sampling_overridable": {"description": "Whether requests may set what `sampling` sets. Default: true.", "type": "boolean"},
        "max_kv_size": {"description": "Limit of the key-value cache, tokens (mlx).", "type": "integer", "minimum": 1},
        "context_size": {"description": "Longest prompt plus answer, tokens (llama, vllm).", "type": "integer", "minimum": 1},
        "arguments": {"description": "Further arguments of the server, as they are.", "$ref": "#/definitions/names"},
        "environment": {
          "description": "Variables for the server, beside the inherited ones.",
          "type": "object",
          "additionalProperties": {"type": ["string", "number", "boolean", "null"]}
        },
        "port": {"description": "Where its server listens. Default: 0, a free one.", "$ref": "#/definitions/port"},
        "log_file": {"description": "Rotating copy of its server's output. Default: in `log_folder`.", "type": "string"},
        "memory": {"description": "What it needs. Default: measured on the first load and remembered; until then guessed from its files.", "$ref": "#/definitions/size"},
        "restart_above": {"description": "Its server is started anew between requests when it holds more. Default: never.", "$ref": "#/definitions/size"},
        "ttl": {"description": "Unloaded after so long without a request, counted from the end of the last answer. Default: never.", "$ref": "#/definitions/time"},
        "pin": {"description": "Never unloaded to make room. Default: false.", "type": "boolean"},
        "preload": {"description": "Loaded at the start. Default: false.", "type": "boolean"},
        "parallel": {"description": "Requests sent on at once; more wait here. Default: 32.", "type": "integer", "minimum": 1, "maximum": 100000},
        "priority": {"description": "Higher ones are loaded first. Default: 0.", "type": "integer", "minimum": -1000, "maximum": 1000},
        "silence": {"description": "A server that says nothing for so long while it has a request is asked for one token, and replaced if it does not answer that in as long again; the request is sent once more, or torn if its answer had begun. An answer that is not streamed is silent until it is whole. Default: none.", "$ref": "#/definitions/time"},
        "start_timeout": {"description": "From the start to the first answer. Default: 10m.", "$ref": "#/definitions/time"},
        "stop_grace": {"description": "From SIGTERM to SIGKILL. Default: 5s.", "$ref": "#/definitions/time"},
        "stop_command": {"description": "Run for a stop, before SIGTERM: a list of words, such as [docker, stop, name].", "$ref": "#/definitions/names"}
      }
    },
    "upstream": {
      "description": "An endpoint that is not ours: nothing is started or stopped.",
      "type": "object",
      "additionalProperties": false,
      "required": ["url"],
      "properties": {
        "url": {"description": "Base URL, such as https://host:port/v1.", "type": "string", "minLength": 1},
        "model": {"description": "Its name there. Default: as asked.", "type": ["string", "number"]},
        "key_env": {"description": "Environment variable that holds the key for it.", "type": "string"}
      }
    },
    "sampling": {
      "description": "What holds for requests that do not say otherwise.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "temperature": {"description": "0 to 2.", "type": "number", "minimum": 0, "maximum": 2},
        "top_p": {"description": "Over 0, at most 1.", "type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "top_k": {"description": "0 is off.", "type": "integer", "minimum": 0},
        "min_p": {"description": "0 to 1.", "type": "number", "minimum": 0, "maximum": 1},
        "max_tokens": {"description": "Of an answer.", "type": "integer", "minimum": 1},
        "repetition_penalty": {"description": "Over 0, at most 10; 1 is none.", "type": "number", "exclusiveMinimum": 0, "maximum": 10},
        "repetition_context_size": {"description": "Tokens looked back at.", "type": "integer", "minimum": 1}
      }
    },
    "group": {
      "type": "object",
      "additionalProperties": false,
      "required": ["models"],
      "properties": {
        "models": {"description": "Its models' names.", "$ref": "#/definitions/names"},
        "together": {"description": "false: at most one of them is loaded at a time. Default: true.", "type": "boolean"},
        "exclusive": {"description": "While one of them is loaded, no model outside is, but pinned ones. Default: false.", "type": "boolean"}
      }
    },
    "queue": {
      "description": "How requests wait.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "requests": {"description": "That wait for one model; more are refused (429). Default: 1000.", "type": "integer", "minimum": 1, "maximum": 1000000},
        "bytes": {"description": "Of bodies that wait, in all. Default: 64 MiB.", "$ref": "#/definitions/size"},
        "wait": {"description": "Longest wait of a request (then 504). Default: 10m.", "$ref": "#/definitions/time"},
        "drain": {"description": "A swap, an unload or a reload waits so long for running answers. Default: 30s.", "$ref": "#/definitions/time"},
        "fairness": {"description": "A request for another model or adapter waits no longer behind others. Default: 10s.", "$ref": "#/definitions/time"},
        "min_loaded": {"description": "A model stays loaded at least so long. Default: 1s.", "$ref": "#/definitions/time"}
      }
    }
  }
}
)schema";

}  // namespace

std::string gateway_schema() {
    return std::string(schema);
}

}  // namespace punie::fleet
