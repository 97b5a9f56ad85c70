/** Methods that explain a picture; see `vision.explain`. */
export const explainMethods = ['gradcam', 'hirescam', 'layercam', 'integrated-gradients', 'occlusion'] as const;
export type ExplainMethod = (typeof explainMethods)[number];
