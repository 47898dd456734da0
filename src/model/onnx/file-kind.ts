/**
 * Says what a file called model.onnx is, if it is plainly something else, and what to do: told from its first bytes. Undefined
 * for what may be an ONNX protobuf. Nothing is ever unpickled or unpacked.
 */
export function foreignFileReason(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return "the file is empty: copy or export it again";
  const head = String.fromCharCode(...bytes.subarray(0, 1024));
  const trimmed = head.trimStart().toLowerCase();
  if (head.startsWith("version https://git-lfs")) {
    return "the file is a Git LFS pointer, not the model itself: run `git lfs pull` where it was checked out, and copy it again";
  }
  if (/^(<!doctype|<html|<\?xml|<head|<body)/.test(trimmed)) {
    return "the file is an HTML or XML page, such as a download page or an error answer: download the file itself";
  }
  if (isPickle(bytes)) {
    return "the file is a Python pickle (or joblib dump), which is never opened because it can run any code: convert it to ONNX, see docs/exporting.md";
  }
  if (head.startsWith("PK\x03\x04")) {
    return "the file is a ZIP archive, as torch.save, Keras and NumPy write: export the model to ONNX (torch.onnx.export), see docs/exporting.md";
  }
  if (head.startsWith("\x1f\x8b")) return "the file is compressed with gzip: unpack it (gunzip) first";
  if (head.startsWith("\x28\xb5\x2f\xfd")) return "the file is compressed with Zstandard: unpack it first";
  if (head.startsWith("\x89HDF")) {
    return "the file is HDF5, as Keras writes: convert it with tf2onnx, see docs/exporting.md";
  }
  if (head.slice(4, 8) === "TFL3") return "the file is a TensorFlow Lite model: convert it with tf2onnx";
  if (head.slice(4, 8) === "ORTM") {
    return "the file is in ORT format, whose signature Assay does not read: use the .onnx file that it was made from";
  }
  if (head.startsWith("CBM1"))
    return 'the file is CatBoost\'s own format: save it with save_model(path, format="onnx")';
  if (head.startsWith("tree\n")) {
    return "the file is LightGBM's own text format: convert it with onnxmltools, see docs/exporting.md";
  }
  if (trimmed.startsWith('{"') || head.startsWith("{L")) {
    return "the file is JSON or UBJSON, as XGBoost writes its own format: convert it with onnxmltools, see docs/exporting.md";
  }
  return undefined;
}

function isPickle(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5) return true;
  // joblib's compressed dumps are zlib streams.
  return bytes[0] === 0x78 && (bytes[1] === 0x9c || bytes[1] === 0xda || bytes[1] === 0x01);
}

/** Says what a file in a version folder without model.onnx is taken for by its name, and what to do; the file is not opened. */
export function misnamedFileReason(fileName: string): string | undefined {
  const extension = fileName.slice(fileName.lastIndexOf(".") + 1).toLowerCase();
  switch (extension) {
    case "onnx":
      return `${fileName} came; expected model.onnx: rename it`;
    case "pkl":
    case "pickle":
    case "joblib":
    case "sav":
      return `${fileName} is a Python pickle, which is never opened because it can run any code: convert it to ONNX as model.onnx, see docs/exporting.md`;
    case "pt":
    case "pth":
    case "bin":
    case "safetensors":
      return `${fileName} came; expected model.onnx: export the model with torch.onnx.export, see docs/exporting.md`;
    case "h5":
    case "keras":
    case "pb":
    case "tflite":
      return `${fileName} came; expected model.onnx: convert the model with tf2onnx, see docs/exporting.md`;
    case "cbm":
    case "ubj":
    case "ort":
      return `${fileName} came; expected model.onnx: convert the model to ONNX, see docs/exporting.md`;
    default:
      return undefined;
  }
}
