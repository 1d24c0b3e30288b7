// The worker for an MNN that was built from source; see protocol.py.
#include <MNN/Interpreter.hpp>
#include <MNN/MNNDefine.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Model {
  std::shared_ptr<MNN::Interpreter> interpreter;
  MNN::Session* session;
  std::shared_ptr<MNN::Tensor> output;

  void Run() const {
    interpreter->runSession(session);
    interpreter->getSessionOutput(session, nullptr)->copyToHostTensor(output.get());
  }
};

bool Load(const std::string& path, const std::string& source, const std::string& target,
          Model* model) {
  model->interpreter.reset(MNN::Interpreter::createFromFile(path.c_str()));
  if (!model->interpreter) return false;
  MNN::BackendConfig backend;
  backend.precision = MNN::BackendConfig::Precision_High;
  MNN::ScheduleConfig config;
  config.type = MNN_FORWARD_CPU;
  config.numThread = 1;
  config.backendConfig = &backend;
  model->session = model->interpreter->createSession(config);
  if (model->session == nullptr) return false;
  MNN::Tensor* const input = model->interpreter->getSessionInput(model->session, nullptr);
  MNN::Tensor host(input, MNN::Tensor::CAFFE);
  std::ifstream file(source, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(host.host<float>()), host.size())) return false;
  input->copyFromHostTensor(&host);
  model->output.reset(new MNN::Tensor(model->interpreter->getSessionOutput(model->session, nullptr),
                                      MNN::Tensor::CAFFE));
  model->Run();
  std::ofstream out(target, std::ios::binary);
  out.write(reinterpret_cast<const char*>(model->output->host<float>()), model->output->size());
  return static_cast<bool>(out);
}

}  // namespace

int main() {
  // MNN prints what it likes: the answers go where stdout was.
  std::FILE* const answers = fdopen(dup(1), "w");
  dup2(2, 1);
  std::vector<Model> models;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream in(line);
    std::string command, path, source, target;
    in >> command;
    if (command == "load" && in >> path >> source >> target) {
      Model model;
      if (Load(path, source, target, &model)) {
        models.push_back(model);
        std::fprintf(answers, "ok version %s\n", MNN_VERSION);
      } else {
        std::fprintf(answers, "error MNN cannot load %s\n", path.c_str());
      }
    } else {
      size_t index = 0;
      in >> index;
      models.at(index).Run();
      const auto start = std::chrono::steady_clock::now();
      models.at(index).Run();
      const std::chrono::duration<double, std::milli> time =
          std::chrono::steady_clock::now() - start;
      std::fprintf(answers, "%.6f\n", time.count());
    }
    std::fflush(answers);
  }
  return 0;
}
