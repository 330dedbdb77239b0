"""A graph under construction: nodes are appended in the order in which they run."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Net:
    """Weights are drawn from one seed in the order in which they are asked for."""

    def __init__(self, opset=17, ir_version=9):
        self.opset, self.ir_version = opset, ir_version
        self.nodes, self.inputs, self.outputs, self.tensors = [], [], [], []
        self.generator = np.random.default_rng(7)

    def input(self, name, shape):
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def output(self, value, shape):
        self.outputs.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, shape))

    def tensor(self, name, values, kind=np.float32):
        self.tensors.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def numbers(self, name, values):
        return self.tensor(name, values, np.int64)

    def weights(self, name, *shape, fan):
        """Such that as much comes out as went in, of `fan` numbers summed."""
        return self.tensor(name, self.generator.standard_normal(shape) * (2 / fan) ** 0.5)

    def shifts(self, name, *shape):
        return self.tensor(name, self.generator.standard_normal(shape) * 0.2)

    def scales(self, name, *shape):
        return self.tensor(name, self.generator.uniform(0.6, 1.4, shape))

    def node(self, operator, inputs, output, **attributes):
        """`output` is a name, or a list of them; comes back as it was given."""
        names = [output] if isinstance(output, str) else output
        self.nodes.append(helper.make_node(operator, inputs, names, name=f"{names[0]}_node", **attributes))
        return output

    def conv(self, value, name, inputs, outputs, kernel=3, activation="Relu", **attributes):
        """With the bias, borders that keep the size, and the activation if any."""
        per_unit = inputs // attributes.get("group", 1) * kernel**2
        weights = self.weights(f"{name}_w", outputs, inputs // attributes.get("group", 1), kernel, kernel, fan=per_unit)
        read = [value, weights, self.shifts(f"{name}_b", outputs)]
        made = name if activation is None else f"{name}_sum"
        self.node("Conv", read, made, kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4, **attributes)
        return self.node(activation, [made], name) if activation else made

    def dense(self, value, name, inputs, outputs):
        product = self.node("MatMul", [value, self.weights(f"{name}_w", inputs, outputs, fan=inputs)], f"{name}_product")
        return self.node("Add", [product, self.shifts(f"{name}_b", outputs)], name)

    def classes(self, value, channels):
        """A convolution whose units nothing in front should hold back, the mean over places, and seven classes."""
        x = self.conv(value, "last", channels, 14, kernel=1)
        x = self.node("Flatten", [self.node("GlobalAveragePool", [x], "mean")], "flat")
        self.node("Gemm", [x, self.weights("head_w", 7, 14, fan=14), self.shifts("head_b", 7)], "scores", transB=1)
        self.output("scores", ["rows", 7])

    def model(self):
        inputs = list(self.inputs)
        if self.ir_version < 4:
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.tensors]
        graph = helper.make_graph(self.nodes, "built", inputs, self.outputs, self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = self.ir_version
        # As the library's version is not the network's.
        model.producer_name = "build_fixtures"
        return model

    def with_lengths(self):
        return onnx.shape_inference.infer_shapes(self.model(), data_prop=True)


def pictures(net, channels=3, side=10):
    return net.input("picture", ["rows", channels, side, side])
