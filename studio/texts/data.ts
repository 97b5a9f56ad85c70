import type { Texts } from './table.js';

export const dataTexts = {
  'data.title': { en: 'Data', zh: '数据' },
  'data.lead': {
    en: 'How a folder or a table is understood, before any picture is read; then its pictures, and their check. Nothing is changed.',
    zh: '在读取任何图像之前，先显示文件夹或表格如何被理解；然后是图像和检查结果。不会更改任何内容。',
  },
  'data.set': { en: 'Data set', zh: '数据集' },
  'data.part': { en: 'Part', zh: '部分' },
  'data.class': { en: 'Class', zh: '类别' },
  'data.all': { en: 'all', zh: '全部' },
  'data.sum': { en: 'Pictures', zh: '图像数' },
  'data.passedOver': { en: 'Not data: {text}', zh: '不属于数据：{text}' },
  'data.train': { en: 'Train on it', zh: '用它训练' },
  'data.pictures': { en: 'Pictures', zh: '图像' },
  'data.check': { en: 'Check the data', zh: '检查数据' },
  'data.checkLead': {
    en: 'Looks for pictures that cannot be read, copies, leaks between parts, wrong labels, outliers, and properties that alone predict the class.',
    zh: '查找无法读取的图像、重复图像、各部分之间的泄漏、错误标签、异常图像，以及单独就能预测类别的属性。',
  },
  'data.start': { en: 'Check', zh: '检查' },
  'data.running': { en: 'Looking at every picture …', zh: '正在查看每张图像……' },
  'data.clean': { en: 'Nothing was found.', zh: '没有发现问题。' },
  'data.shortcuts': { en: 'Alone predict the class: {list}', zh: '单独就能预测类别的属性：{list}' },
  'data.decision': { en: 'Decision', zh: '决定' },
  'data.keep': { en: 'leave as it is', zh: '保持不变' },
  'data.exclude': { en: 'leave out {files}', zh: '排除 {files}' },
  'data.relabel': { en: 'label it {label}', zh: '改标为 {label}' },
  'data.decided': {
    en: 'Decisions are in {folder}: {excluded} left out, {relabelled} with another label. Give --fixes {folder} to train and eval.',
    zh: '决定保存在 {folder}：排除 {excluded} 张，改标 {relabelled} 张。训练和评估时使用 --fixes {folder}。',
  },
  'data.shown': { en: '{n} of {all} findings', zh: '{n} / {all} 项发现' },
  'data.unreadable': { en: 'cannot be read', zh: '无法读取' },
} as const satisfies Texts;
