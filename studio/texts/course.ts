import type { Texts } from './table.js';

export const courseTexts = {
  'course.title': { en: 'Course', zh: '课程' },
  'course.lead': {
    en: 'The networks of the tutorial in its order. Each has an idea, a program that runs here, its results, and an exercise that breaks it.',
    zh: '按教程的顺序介绍各个网络：每章有思路、可以在这里运行的程序、结果，以及一个把它弄坏的练习。',
  },
  'course.lenet': { en: 'LeNet and digits', zh: 'LeNet 与手写数字' },
  'course.eyes': { en: 'LeNet and eyes', zh: 'LeNet 与眼底照片' },
  'course.alexnet': { en: 'AlexNet', zh: 'AlexNet' },
  'course.vgg': { en: 'VGG', zh: 'VGG' },
  'course.googlenet': { en: 'GoogLeNet', zh: 'GoogLeNet' },
  'course.resnet': { en: 'ResNet', zh: 'ResNet' },
  'course.model': { en: 'Fourteen lines', zh: '十四行代码' },
  'course.lenetIdea': {
    en: 'The same small filter looks at every place of the image, so that a stroke is found wherever it is. Pooling keeps the strongest answer nearby and halves the size. After three convolutions no place is left, and two linear layers name the digit.',
    zh: '同一个小滤波器查看图像的每个位置，因此笔画无论在哪里都能被找到。池化保留附近最强的响应，并把尺寸减半。经过三次卷积，位置信息已不再保留，再由两个线性层判断数字。',
  },
  'course.lenetExercise': {
    en: 'Exercise: the second button trains with a learning rate of 3. Why does the loss no longer fall?',
    zh: '练习：第二个按钮使用学习率 3 训练。为什么损失不再下降？',
  },
  'course.eyesIdea': {
    en: 'A photograph of 224×224 leaves 50×50 places after the third convolution, so that the linear layer has 300,000 inputs. Sigmoids press all of them close to one value: two different images look nearly the same, and the loss stays where it was.',
    zh: '224×224 的照片经过第三次卷积后还剩 50×50 个位置，线性层因此有 300,000 个输入。Sigmoid 把它们都压到接近同一个值：两张不同的图像看起来几乎一样，损失停在原处。',
  },
  'course.eyesExercise': {
    en: 'Exercise: the second button takes relu in place of the sigmoid. By how much more do two images differ?',
    zh: '练习：第二个按钮用 relu 代替 sigmoid。两张图像的差别大了多少？',
  },
  'course.alexnetIdea': {
    en: 'Relu passes positive values and their gradients unchanged, so that eight layers learn. Dropout switches off half of the large linear layers at random in each step, against learning by heart.',
    zh: 'Relu 让正值及其梯度原样通过，因此八层网络也能学习。Dropout 在每一步随机关闭大型线性层的一半，防止死记硬背。',
  },
  'course.alexnetExercise': {
    en: 'Exercise: the second button takes sigmoids. By which factor is the gradient of the first layer smaller than that of the last?',
    zh: '练习：第二个按钮使用 sigmoid。第一层的梯度比最后一层小多少倍？',
  },
  'course.vggIdea': {
    en: 'Filters of 3×3 in a row see as far as one large filter, with fewer weights and more activations between them. Each block doubles the channels and halves the size.',
    zh: '连续的 3×3 滤波器与一个大滤波器看得一样远，但权重更少，中间的激活更多。每个模块把通道数加倍，把尺寸减半。',
  },
  'course.vggExercise': {
    en: 'Exercise: the program asks whether two pixels are the same. The second button leaves relu out between the small filters. Why do three of them then learn no more than one filter of 7×7?',
    zh: '练习：程序要判断两个像素是否相同。第二个按钮去掉小滤波器之间的 relu。为什么这时三个小滤波器学到的并不比一个 7×7 滤波器多？',
  },
  'course.googlenetIdea': {
    en: 'Four paths look at the same features with filters of several sizes, and their answers are joined as channels. Convolutions of 1×1 make the features narrow before the costly filters.',
    zh: '四条路径用不同大小的滤波器查看同一组特征，结果按通道拼接。1×1 卷积先减少通道，再使用计算量大的滤波器。',
  },
  'course.googlenetExercise': {
    en: 'Exercise: the second button leaves the 1×1 convolutions out. The shapes stay; how many more parameters are needed?',
    zh: '练习：第二个按钮去掉 1×1 卷积。形状不变；需要多出多少参数？',
  },
  'course.resnetIdea': {
    en: 'A block adds a change to its input. The gradient reaches the first layer along the sum, however many layers there are, and a block that has nothing to add can stay at zero.',
    zh: '每个模块在输入上加一个改变量。无论有多少层，梯度都能沿着加法到达第一层；没有什么可加的模块可以保持为零。',
  },
  'course.resnetExercise': {
    en: 'Exercise: the second button leaves the shortcuts out. By which power of ten is the gradient smaller, and what does a step change then?',
    zh: '练习：第二个按钮去掉捷径。梯度小了多少个数量级？这样的一步还能改变什么？',
  },
  'course.modelIdea': {
    en: 'Model joins a network with optimizer, loss and metrics in prepare; fit then trains, evaluate measures and predict answers. The loops of the chapters before are inside.',
    zh: 'Model 在 prepare 中把网络与优化器、损失和指标组合起来；之后 fit 训练，evaluate 评估，predict 给出答案。前几章的循环都在里面。',
  },
  'course.modelExercise': {
    en: 'Exercise: the second button trains on 50 images, with as many steps. How far is the accuracy in training from the one in the evaluation?',
    zh: '练习：第二个按钮只用 50 张图像训练，步数相同。训练准确率与评估准确率相差多少？',
  },
  'course.code': { en: 'The program', zh: '程序' },
  'course.run': { en: 'Run it', zh: '运行' },
  'course.break': { en: 'Run it with the argument {argument}', zh: '用参数 {argument} 运行' },
  'course.running': { en: 'It runs …', zh: '运行中……' },
  'course.ended': { en: 'It ended with the exit code {code}.', zh: '已结束，退出码 {code}。' },
  'course.results': { en: 'Accuracy, in percent', zh: '准确率（百分比）' },
  'course.measured': { en: 'measured with Fovea, mean of three seeds', zh: '用 Fovea 测得（三个种子的平均）' },
  'course.published': { en: 'published in the tutorial', zh: '教程公布' },
  'course.digitsNote': {
    en: '10,000 test images of MNIST after 5 epochs, seeds 0, 1 and 2.',
    zh: 'MNIST 的 10,000 张测试图像，训练 5 轮，种子 0、1、2。',
  },
  'course.eyesNote': {
    en: 'Measured on synthetic images of eyes, published for photographs; both after 5 epochs. See docs/measured/results.md.',
    zh: '测得的数值来自合成眼底图像，公布的数值来自照片；都训练 5 轮。见 docs/measured/results.md。',
  },
  'course.shapes': { en: 'The shapes in {model}: {n} parameters', zh: '{model} 中的形状：{n} 个参数' },
  'course.layer': { en: 'Layer', zh: '层' },
  'course.output': { en: 'Output', zh: '输出' },
  'course.weights': { en: 'Parameters', zh: '参数' },
} as const satisfies Texts;
