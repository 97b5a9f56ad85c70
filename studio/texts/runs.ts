import type { Texts } from './table.js';

export const runsTexts = {
  'runs.title': { en: 'Runs', zh: '训练' },
  'runs.lead': {
    en: 'All trainings in this folder. Choose one to evaluate it, or several to compare them.',
    zh: '此文件夹中的所有训练。选择一个进行评估，或选择几个进行比较。',
  },
  'runs.none': { en: 'There are no runs yet. Train a network first.', zh: '还没有训练。请先训练一个网络。' },
  'runs.run': { en: 'Run', zh: '训练' },
  'runs.network': { en: 'Network', zh: '网络' },
  'runs.data': { en: 'Data', zh: '数据' },
  'runs.state': { en: 'State', zh: '状态' },
  'runs.accuracy': { en: 'Accuracy', zh: '准确率' },
  'runs.test': { en: 'Test accuracy', zh: '测试准确率' },
  'runs.loss': { en: 'Loss', zh: '损失' },
  'runs.seed': { en: 'Seed', zh: '种子' },
  'runs.finished': { en: 'finished', zh: '已完成' },
  'runs.running': { en: 'training: epoch {epoch} of {epochs}', zh: '训练中：第 {epoch} / {epochs} 轮' },
  'runs.stopped': { en: 'stopped after epoch {epoch} of {epochs}', zh: '已停止：第 {epoch} / {epochs} 轮之后' },
  'runs.broken': { en: 'Folders that cannot be read', zh: '无法读取的文件夹' },
  'runs.compare': { en: 'Compare', zh: '比较' },
  'runs.chosen': { en: '{n} chosen', zh: '已选择 {n} 个' },
  'runs.choose': { en: 'Choose {run}', zh: '选择 {run}' },
} as const satisfies Texts;
