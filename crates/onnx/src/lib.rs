//! Lossless reading and writing of ONNX model files.
