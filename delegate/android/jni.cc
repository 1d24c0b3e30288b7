// Java's entry points: what is native in com.sbnn.delegate.NativeDelegate.
#include <jni.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "delegate/report/system_log.h"
#include "delegate/tflite/create.h"
#include "delegate/tflite/delegate.h"
#include "delegate/tflite/sbnn_delegate.h"

namespace sbnn {
namespace {

// This thread's environment. A thread that Java does not know is attached for as long as this
// lives.
class Environment {
 public:
  explicit Environment(JavaVM* vm) : vm_(vm) {
    if (vm->GetEnv(reinterpret_cast<void**>(&env_), JNI_VERSION_1_6) == JNI_OK) return;
    attached_ = vm->AttachCurrentThread(Result{&env_}, nullptr) == JNI_OK;
    if (!attached_) env_ = nullptr;
  }
  Environment(const Environment&) = delete;
  ~Environment() {
    if (attached_) vm_->DetachCurrentThread();
  }
  JNIEnv* get() const { return env_; }  // null: there is none

 private:
  // What AttachCurrentThread writes to is a JNIEnv** in an NDK's jni.h, a void** in a JDK's.
  struct Result {
    JNIEnv** env;
    operator JNIEnv**() const { return env; }
    operator void**() const { return reinterpret_cast<void**>(env); }
  };

  JavaVM* const vm_;
  JNIEnv* env_ = nullptr;
  bool attached_ = false;
};

// A delegate's records: kept for report(), and given to a listener.
class Reports {
 public:
  // `listener` may be null; else a com.sbnn.delegate.ReportListener.
  Reports(JNIEnv* env, jobject listener) {
    env->GetJavaVM(&vm_);
    if (listener == nullptr) return;
    const jclass type = env->GetObjectClass(listener);
    on_report_ = env->GetMethodID(type, "onReport", "(Ljava/lang/String;)V");
    env->DeleteLocalRef(type);
    if (on_report_ != nullptr) listener_ = env->NewGlobalRef(listener);
  }
  Reports(const Reports&) = delete;
  ~Reports() { Close(); }

  void Receive(const std::string& json, const std::string& text) {
    const Environment environment(vm_);
    jobject listener = nullptr;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (closed_) return;
      // A graph that is prepared anew reports the same again.
      if (seen_.insert(json).second) {
        json_ += (json_.empty() ? "[" : ",\n") + json;
        if (!text.empty()) text_ += text + '\n';
      }
      if (listener_ != nullptr && environment.get() != nullptr) {
        listener = environment.get()->NewLocalRef(listener_);
      }
    }
    if (listener != nullptr) Tell(environment.get(), listener, json);
  }

  // Keeps nothing and tells nobody any more. A call of the listener may still be running.
  void Close() {
    const Environment environment(vm_);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (listener_ != nullptr && environment.get() != nullptr) {
      environment.get()->DeleteGlobalRef(listener_);
    }
    listener_ = nullptr;
    closed_ = true;
    seen_.clear();
    json_ = text_ = "";
  }

  std::string json() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return json_.empty() ? "[]" : json_ + "]";
  }
  std::string text() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return text_;
  }

 private:
  void Tell(JNIEnv* env, jobject listener, const std::string& json) const {
    const jstring line = env->NewStringUTF(json.c_str());  // ASCII
    if (line != nullptr) env->CallVoidMethod(listener, on_report_, line);
    // No exception may pass through the native frames between here and Java.
    if (env->ExceptionCheck()) {
      SystemLog(Severity::kWarning, "the report listener has thrown:");
      env->ExceptionDescribe();
      env->ExceptionClear();
    }
    env->DeleteLocalRef(line);
    env->DeleteLocalRef(listener);
  }

  JavaVM* vm_ = nullptr;
  jmethodID on_report_ = nullptr;
  mutable std::mutex mutex_;
  jobject listener_ = nullptr;
  bool closed_ = false;
  std::set<std::string> seen_;
  std::string json_, text_;
};

// What Java has the address of.
struct Handle {
  std::shared_ptr<Reports> reports;
  TfLiteDelegate* delegate = nullptr;
};

// An address may have 32 bits.
jlong Address(const void* pointer) {
  return static_cast<jlong>(reinterpret_cast<uintptr_t>(pointer));
}
Handle* FromJava(jlong handle) { return reinterpret_cast<Handle*>(static_cast<uintptr_t>(handle)); }

void Throw(JNIEnv* env, const char* type, const std::string& message) {
  if (env->ExceptionCheck()) return;
  const jclass found = env->FindClass(type);
  if (found != nullptr) env->ThrowNew(found, message.c_str());
}

std::string Bytes(JNIEnv* env, jbyteArray array) {
  std::string bytes(static_cast<size_t>(env->GetArrayLength(array)), '\0');
  env->GetByteArrayRegion(array, 0, static_cast<jsize>(bytes.size()),
                          reinterpret_cast<jbyte*>(&bytes[0]));
  return bytes;
}

// UTF-8: JNI's strings have another encoding of what lies beyond 16 bits.
jbyteArray ToJava(JNIEnv* env, const std::string& bytes) {
  const auto size = static_cast<jsize>(bytes.size());
  const jbyteArray array = env->NewByteArray(size);
  if (array != nullptr) {
    env->SetByteArrayRegion(array, 0, size, reinterpret_cast<const jbyte*>(bytes.data()));
  }
  return array;
}

// Null where an exception is pending, or an option is wrong: why is then in `failure`.
Handle* Create(JNIEnv* env, jobjectArray pairs, jobject listener, jobjectArray failure) {
  std::vector<std::string> words;
  for (jsize i = 0; i < env->GetArrayLength(pairs); ++i) {
    const auto word = static_cast<jbyteArray>(env->GetObjectArrayElement(pairs, i));
    words.push_back(Bytes(env, word));
    env->DeleteLocalRef(word);
  }
  std::vector<const char*> keys, values;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    keys.push_back(words[i].c_str());
    values.push_back(words[i + 1].c_str());
  }
  auto handle = std::make_unique<Handle>();
  handle->reports = std::make_shared<Reports>(env, listener);
  if (env->ExceptionCheck()) return nullptr;
  const auto receiver = [reports = handle->reports](const std::string& json,
                                                    const std::string& text) {
    reports->Receive(json, text);
  };
  const Status status =
      CreateDelegate(keys.data(), values.data(), keys.size(), receiver, &handle->delegate);
  if (status.ok()) return handle.release();
  const jbyteArray message = ToJava(env, status.message());
  if (message != nullptr) env->SetObjectArrayElement(failure, 0, message);
  return nullptr;
}

// No C++ exception may reach Java.
template <typename Fn>
auto Guarded(JNIEnv* env, const Fn& fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (const std::bad_alloc&) {
    Throw(env, "java/lang/OutOfMemoryError", "SparseByteNN");
  } catch (const std::exception& e) {
    Throw(env, "java/lang/IllegalStateException", e.what());
  }
  return {};
}

}  // namespace
}  // namespace sbnn

extern "C" {

JNIEXPORT jlong JNICALL Java_com_sbnn_delegate_NativeDelegate_create(JNIEnv* env, jclass,
                                                                     jobjectArray pairs,
                                                                     jobject listener,
                                                                     jobjectArray failure) {
  return sbnn::Guarded(env,
                       [&] { return sbnn::Address(sbnn::Create(env, pairs, listener, failure)); });
}

JNIEXPORT jlong JNICALL Java_com_sbnn_delegate_NativeDelegate_address(JNIEnv*, jclass,
                                                                      jlong handle) {
  return sbnn::Address(sbnn::FromJava(handle)->delegate);
}

JNIEXPORT jbyteArray JNICALL Java_com_sbnn_delegate_NativeDelegate_report(JNIEnv* env, jclass,
                                                                          jlong handle,
                                                                          jboolean text) {
  return sbnn::Guarded(env, [&] {
    const sbnn::Reports& reports = *sbnn::FromJava(handle)->reports;
    return sbnn::ToJava(env, text ? reports.text() : reports.json());
  });
}

JNIEXPORT void JNICALL Java_com_sbnn_delegate_NativeDelegate_silence(JNIEnv*, jclass,
                                                                     jlong handle) {
  sbnn::FromJava(handle)->reports->Close();
}

JNIEXPORT void JNICALL Java_com_sbnn_delegate_NativeDelegate_delete(JNIEnv*, jclass, jlong handle) {
  const std::unique_ptr<sbnn::Handle> own(sbnn::FromJava(handle));
  sbnn::DeleteDelegate(own->delegate);
}

JNIEXPORT jstring JNICALL Java_com_sbnn_delegate_NativeDelegate_version(JNIEnv* env, jclass) {
  return env->NewStringUTF(sbnn_version());
}

JNIEXPORT jstring JNICALL Java_com_sbnn_delegate_NativeDelegate_instructionSet(JNIEnv* env,
                                                                               jclass) {
  return env->NewStringUTF(sbnn_isa());
}

}  // extern "C"
