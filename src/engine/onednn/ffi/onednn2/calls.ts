import { address, type Functions, pointer } from '../calls.js';
import type { DescCalls } from '../dialect.js';

/** The functions of oneDNN 2.x that later releases do not have, or have with other parameters. */
export function bindCalls({ returning, status }: Functions) {
  const [p, a] = [pointer, address];
  const descs: DescCalls = {
    byTag: status('memory_desc_init_by_tag', p, 'int', p, 'int', 'int'),
    byStrides: status('memory_desc_init_by_strides', p, 'int', p, 'int', p),
    sub: status('memory_desc_init_submemory', p, p, p, p),
    reshape: status('memory_desc_reshape', p, p, 'int', p),
    permute: status('memory_desc_permute_axes', p, p, p),
    equal: returning('int', 'memory_desc_equal', [p, p]),
    size: returning('size_t', 'memory_desc_get_size', [p]),
    createMemory: status('memory_create', p, p, a, a),
  };
  const inits = {
    convForward: status('dilated_convolution_forward_desc_init', p, 'int', 'int', p, p, p, p, p, p, p, p),
    convBackwardData: status('dilated_convolution_backward_data_desc_init', p, 'int', p, p, p, p, p, p, p),
    convBackwardWeights: status('dilated_convolution_backward_weights_desc_init', p, 'int', p, p, p, p, p, p, p, p),
    matmul: status('matmul_desc_init', p, p, p, p, p),
    linearForward: status('inner_product_forward_desc_init', p, 'int', p, p, p, p),
    linearBackwardData: status('inner_product_backward_data_desc_init', p, p, p, p),
    linearBackwardWeights: status('inner_product_backward_weights_desc_init', p, p, p, p, p),
    poolForward: status('pooling_v2_forward_desc_init', p, 'int', 'int', p, p, p, p, p, p, p),
    poolBackward: status('pooling_v2_backward_desc_init', p, 'int', p, p, p, p, p, p, p),
    normForward: status('batch_normalization_forward_desc_init', p, 'int', p, 'float', 'uint'),
    normBackward: status('batch_normalization_backward_desc_init', p, 'int', p, p, 'float', 'uint'),
    eltwiseForward: status('eltwise_forward_desc_init', p, 'int', 'int', p, 'float', 'float'),
    eltwiseBackward: status('eltwise_backward_desc_init', p, 'int', p, p, 'float', 'float'),
    binary: status('binary_desc_init', p, 'int', p, p, p),
    reduction: status('reduction_desc_init', p, 'int', p, p, 'float', 'float'),
    softmaxForward: status('softmax_v2_forward_desc_init', p, 'int', 'int', p, p, 'int'),
    softmaxBackward: status('softmax_v2_backward_desc_init', p, 'int', p, p, p, 'int'),
  };
  return {
    descs,
    inits,
    create: status('primitive_desc_create', p, p, a, a, a),
    reorder: status('reorder_primitive_desc_create', p, p, a, p, a, a),
    concat: status('concat_primitive_desc_create', p, p, 'int', 'int', p, a, a),
    setScales: status('primitive_attr_set_scales', a, 'int', 'int64', 'int', p),
    appendSum: status('post_ops_append_sum', a, 'float'),
    appendEltwise: status('post_ops_append_eltwise', a, 'float', 'int', 'float', 'float'),
    appendBinary: status('post_ops_append_binary', a, 'int', p),
  };
}

export type Calls = ReturnType<typeof bindCalls>;
