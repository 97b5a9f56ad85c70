import type { Texts } from './table.js';

export const tryTexts = {
  'try.title': { en: 'Try', zh: '试用' },
  'try.lead': {
    en: 'Give a trained network pictures of your own. They stay on this machine and are not stored.',
    zh: '把自己的图片交给训练好的网络。图片留在本机，不会被保存。',
  },
  'try.files': { en: 'Pictures', zh: '图片' },
  'try.drop': { en: 'Drop pictures here, or choose some.', zh: '把图片拖到这里，或选择图片。' },
  'try.choose': { en: 'Files', zh: '文件' },
  'try.write': { en: 'A digit by hand', zh: '手写数字' },
  'try.padHelp': {
    en: 'Field for a digit. Write with mouse or finger; by keyboard, space lowers and lifts the pen, arrows move it.',
    zh: '手写区。用鼠标或手指书写；用键盘时，空格键落笔或提笔，方向键移动。',
  },
  'try.ask': { en: 'Recognise', zh: '识别' },
  'try.clear': { en: 'Clear', zh: '清除' },
  'try.digit': { en: 'your digit', zh: '你的数字' },
  'try.camera': { en: 'Camera', zh: '摄像头' },
  'try.cameraHint': { en: 'The browser asks before it opens the camera.', zh: '浏览器会先询问，再打开摄像头。' },
  'try.open': { en: 'Open the camera', zh: '打开摄像头' },
  'try.take': { en: 'Take a picture', zh: '拍照' },
  'try.close': { en: 'Close', zh: '关闭' },
  'try.photo': { en: 'photograph', zh: '照片' },
  'try.refused': { en: 'There is no picture from the camera: {reason}', zh: '无法使用摄像头：{reason}' },
  'try.seen': { en: '{name} as the network sees it', zh: '网络看到的 {name}' },
  'try.input': { en: 'as the network sees it', zh: '网络看到的样子' },
  'try.placesFor': { en: 'places that speak for {class}', zh: '支持 {class} 的位置' },
  'try.time': {
    en: '{ms} ms for reading and answer. The map is Grad-CAM of the layer {layer}; it shows a place, not a reason.',
    zh: '读取和回答用时 {ms} 毫秒。热图是 {layer} 层的 Grad-CAM；它显示位置，而不是原因。',
  },
  'try.note': { en: 'Before that: {note}.', zh: '预处理：{note}。' },
} as const satisfies Texts;
