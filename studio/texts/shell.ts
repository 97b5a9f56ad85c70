import type { Texts } from './table.js';

export const shellTexts = {
  'shell.title': { en: 'Fovea studio', zh: 'Fovea 工作室' },
  'shell.pages': { en: 'Pages', zh: '页面' },
  'shell.skip': { en: 'Skip to the contents', zh: '跳到内容' },
  'shell.language': { en: '中文', zh: 'English' },
  'shell.loading': { en: 'Loading …', zh: '加载中……' },
  'shell.folder': { en: 'Folder', zh: '文件夹' },
  'shell.unknown': { en: 'There is no such page.', zh: '没有这个页面。' },
  'shell.again': { en: 'Try again', zh: '重试' },
  'shell.copy': { en: 'Copy', zh: '复制' },
  'shell.copied': { en: 'Copied', zh: '已复制' },
  'shell.command': { en: 'The same on the command line', zh: '命令行中的同样操作' },
  'error.token': {
    en: 'This tab belongs to a studio that has ended. Open the address that fovea studio printed last; nothing is lost.',
    zh: '此标签页属于已结束的工作室。请打开 fovea studio 最近一次显示的地址；没有丢失任何内容。',
  },
  'error.away': {
    en: 'The studio does not answer. If it has ended, start it again with fovea studio; trainings are saved in their folders.',
    zh: '工作室没有响应。如果它已结束，请再次运行 fovea studio；训练都保存在各自的文件夹中。',
  },
  'error.gone': {
    en: 'This is no longer there: it was moved, renamed or deleted, or cannot be read.',
    zh: '找不到此内容：它已被移动、改名或删除，或者无法读取。',
  },
  'error.outside': {
    en: 'This is outside of the folder of the studio.',
    zh: '此内容在工作室的文件夹之外。',
  },
  'error.link': {
    en: 'Symbolic links are not followed.',
    zh: '不跟随符号链接。',
  },
  'error.internal': { en: 'The studio has a fault.', zh: '工作室出现错误。' },
} as const satisfies Texts;
