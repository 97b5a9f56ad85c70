/** How features become a map in two dimensions; see `vision.explain`. */
export const mapMethods = ['pca', 'umap'] as const;
export type MapMethod = (typeof mapMethods)[number];
