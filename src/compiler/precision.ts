import type { GraphNode } from './graph.js';

/** Precision of a program: `bf16` stores features and their gradients in 16 bits where that is faster. */
export type Precision = 'float32' | 'bf16';

/** Whether a convolution or linear layer, in any direction, computes in bfloat16. */
export type ChoiceOfProducts = (product: GraphNode) => boolean;
