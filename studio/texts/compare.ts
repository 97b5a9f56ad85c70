import type { Texts } from './table.js';

export const compareTexts = {
  'compare.title': { en: 'Compare', zh: '比较' },
  'compare.lead': {
    en: 'Choose two runs or more. Tests are paired: all runs are compared on the same pictures.',
    zh: '选择两个或更多训练。检验是配对的：所有训练都在相同的图像上比较。',
  },
  'compare.choose': { en: 'Runs', zh: '训练' },
  'compare.few': { en: 'Choose two runs or more.', zh: '请选择两个或更多训练。' },
  'compare.curves': { en: 'Loss of the evaluation by epoch', zh: '每轮的评估损失' },
  'compare.accuracies': { en: 'Accuracy of the evaluation by epoch', zh: '每轮的评估准确率' },
  'compare.settings': { en: 'Settings that differ', zh: '不同的设置' },
  'compare.same': { en: 'All settings are equal.', zh: '所有设置都相同。' },
  'compare.setting': { en: 'Setting', zh: '设置' },
  'compare.tests': { en: 'Paired tests', zh: '配对检验' },
  'compare.on': { en: '{images} {part} images', zh: '{images} 张 {part} 图像' },
  'compare.computing': { en: 'Computing intervals …', zh: '正在计算区间……' },
  'compare.metric': { en: 'Metric', zh: '指标' },
  'compare.difference': { en: 'Difference', zh: '差值' },
  'compare.interval': { en: '95 % interval', zh: '95% 区间' },
  'compare.p': { en: 'p', zh: 'p 值' },
  'compare.adjusted': { en: 'p after Holm', zh: 'Holm 校正后的 p 值' },
  'compare.pair': { en: 'Pair', zh: '配对' },
  'compare.test': { en: 'Test', zh: '检验' },
  'compare.different': { en: 'Pictures that are not predicted alike: {n}', zh: '预测不同的图像：{n} 张' },
  'compare.picture': { en: 'Picture', zh: '图像' },
  'compare.truth': { en: 'True class', zh: '真实类别' },
} as const satisfies Texts;
