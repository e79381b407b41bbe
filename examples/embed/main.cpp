// A whole program around Punie's library: serve a model, ask it one question, stop it again.

#include <punie/punie.hpp>

#include <iostream>
#include <string>

namespace {

int report(const punie::Error& error) {
    std::cerr << error.describe() << '\n';
    return 1;
}

void show(const punie::ServerEvent& event) {
    std::cout << punie::name_of(event.state) << " after " << event.elapsed.count() << " s\n";
}

int ask(const punie::ServerProcess& server, const std::string& question) {
    auto model = punie::create_server_model(server.config());
    if (!model) return report(model.error());
    punie::ChatRequest request;
    request.messages = {{.role = "user", .content = question}};
    request.max_tokens = 24;
    auto reply = model->complete(request);
    if (!reply) return report(reply.error());
    std::cout << "answer: " << reply->content << '\n';
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: embed MODEL_FOLDER\n";
        return 2;
    }
    punie::ServerOptions options;
    options.model_path = argv[1];
    options.port = 0;  // a free one
    auto config = punie::make_server_config(options);
    if (!config) return report(config.error());

    punie::ServerProcess server(*config, {.on_event = show});
    if (auto started = server.start(); !started) return report(started.error());
    std::cout << "serving at " << server.config().base_url() << '\n';
    const int answered = ask(server, "What is the capital of France?");
    if (auto stopped = server.stop(); !stopped) return report(stopped.error());
    return answered;  // the destructor would have stopped it too
}
