#pragma once
// Everything of Punie's library.

#include <punie/chat.hpp>
#include <punie/dataset.hpp>
#include <punie/error.hpp>
#include <punie/server_command.hpp>
#include <punie/server_config.hpp>
#include <punie/server_process.hpp>
#include <punie/training.hpp>
#include <punie/training_benchmark.hpp>
