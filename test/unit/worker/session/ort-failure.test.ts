import { describe, expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { cleanOrtMessage, loadFailure } from "../../../../src/worker/session/ort-failure.ts";

test.each([
  [
    "Got invalid dimensions for input: input for the following indices\n index: 1 Got: 3 Expected: 4\n Please fix either the inputs/outputs or the model.",
    "Got invalid dimensions for input: input for the following indices index: 1 Got: 3 Expected: 4 Please fix either the inputs/outputs or the model.",
  ],
  [
    "Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds, idx=99 must be within the inclusive range [-10,9]",
    "Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds, idx=99 must be within the inclusive range [-10,9]",
  ],
  [
    "Status Message: /onnxruntime_src/onnxruntime/core/framework/op_kernel.cc:83 virtual OrtValue* onnxruntime::OpKernelContext::OutputMLValue(int, const onnxruntime::TensorShape&) [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : The output has shape {2,3}",
    "Status Message: The output has shape {2,3}",
  ],
  [
    "/onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, int>&, const onnxruntime::logging::Logger&, bool, const std::string&, int) ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions.",
    "ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions.",
  ],
  [
    "/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n",
    "adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters",
  ],
  [
    "C:\\a\\onnxruntime\\core\\x.cpp:12 onnxruntime::Foo::operator()(int) const [with T = float] bad thing",
    "bad thing",
  ],
  ["Load model from model.onnx failed: no such file", "Load model from model.onnx failed: no such file"],
  ["broken at /src/x.cc:1 a message. Without (a signature)", "broken at a message. Without (a signature)"],
  ["unbalanced /src/x.cc:1 foo(int", "unbalanced"],
  ["", ""],
])("%s", (message, expected) => {
  expect(cleanOrtMessage(message)).toBe(expected);
});

describe("a session that could not be made", () => {
  test.each([
    ["cpu", "No supported adapters", Reason.MODEL_INVALID],
    ["webgpu", "Failed to get a WebGPU adapter", Reason.DEVICE_UNAVAILABLE],
    ["cuda", "Protobuf parsing failed", Reason.MODEL_INVALID],
  ] as const)("on %s, with %s", (provider, text, reason) => {
    const cause = new Error(text);
    expect(loadFailure(cause, { provider, deviceId: 0 })).toMatchObject({ reason, cause });
  });
});
