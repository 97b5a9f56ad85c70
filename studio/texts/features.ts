import type { Texts } from './table.js';

export const featuresTexts = {
  'features.title': { en: 'Features', zh: '特征' },
  'features.lead': {
    en: 'A trained network from the inside: its filters, its channels, and images that it sees as alike.',
    zh: '训练好的网络在寻找什么：它的滤波器、通道，以及它认为相似的图像。',
  },
  'features.choose': { en: 'choose a run', zh: '选择一次训练' },
  'features.filters': { en: 'Filters of the first layer', zh: '第一层的滤波器' },
  'features.filtersOf': {
    en: '{n} filters of {height}×{width} in the layer {layer}. Grey is 0, brighter is positive, darker is negative.',
    zh: '{layer} 层的 {n} 个 {height}×{width} 滤波器。灰色为 0，较亮为正，较暗为负。',
  },
  'features.dead': { en: 'Dead channels', zh: '死通道' },
  'features.deadHint': {
    en: 'A dead channel gives the same value for every image, so that it takes part in no decision. Counted over up to 1,000 validation images.',
    zh: '死通道对每张图像都给出相同的值，因此不参与任何判断。统计最多 1,000 张验证图像。',
  },
  'features.layer': { en: 'Layer', zh: '层' },
  'features.channels': { en: 'Channels', zh: '通道' },
  'features.map': { en: 'Map of images', zh: '图像分布图' },
  'features.pcaHint': {
    en: 'Validation images placed by their last features, along the two directions in which these differ most. Click a point, or enter its number.',
    zh: '按最后一层特征放置验证图像，坐标轴是差异最大的两个方向。点击一个点，或输入它的编号。',
  },
  'features.umapHint': {
    en: 'UMAP keeps neighbours together; distances between groups, and their sizes, mean little. Click a point, or enter its number.',
    zh: 'UMAP 让相邻的点保持相邻；各组之间的距离和大小意义不大。点击一个点，或输入它的编号。',
  },
  'features.method': { en: 'Method', zh: '方法' },
  'features.image': { en: 'Image', zh: '图像' },
  'features.explained': { en: '{share} of the variance', zh: '占方差的 {share}' },
  'features.near': { en: 'Nearest training images', zh: '最近的训练图像' },
  'features.nearHint': {
    en: 'By the Euclidean distance of the last features, among {n} training images.',
    zh: '按最后一层特征的欧氏距离，在 {n} 张训练图像中查找。',
  },
  'features.layers': { en: 'Layer by layer', zh: '逐层查看' },
  'features.layersHint': {
    en: 'The first 64 channels of each layer after its activation, with one scale of colours for the layer.',
    zh: '每层激活之后的前 64 个通道，同一层使用同一色标。',
  },
  'features.layerOf': { en: 'Channels of {layer} for {image}', zh: '{image} 在 {layer} 层的通道' },
} as const satisfies Texts;
