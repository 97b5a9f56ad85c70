/** A file to download, and its checksum. */
interface WeightFile {
  readonly url: string;
  readonly md5: string;
}

const hapi = 'https://paddle-hapi.bj.bcebos.com/models/';
const imageNet = 'https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/';

/**
 * Paddle's weights, trained on ImageNet, by Paddle's name of the network (with scale 1, without batch norm).
 */
export const weightFiles: Readonly<Record<string, WeightFile>> = {
  alexnet: { url: `${imageNet}AlexNet_pretrained.pdparams`, md5: '7f0f9f737132e02732d75a1459d98a43' },
  vgg16: { url: `${hapi}vgg16.pdparams`, md5: '89bbffc0f87d260be9b8cdc169c991c4' },
  vgg19: { url: `${hapi}vgg19.pdparams`, md5: '23b18bb13d8894f60f54e642be79a0dd' },
  googlenet: { url: `${imageNet}GoogLeNet_pretrained.pdparams`, md5: '80c06f038e905c53ab32c40eca6e26ae' },
  resnet18: { url: `${hapi}resnet18.pdparams`, md5: 'cf548f46534aa3560945be4b95cd11c4' },
  resnet34: { url: `${hapi}resnet34.pdparams`, md5: '8d2275cf8706028345f78ac0e1d31969' },
  resnet50: { url: `${hapi}resnet50.pdparams`, md5: 'ca6f485ee1ab0492d38f323885b0ad80' },
  resnet101: { url: `${hapi}resnet101.pdparams`, md5: '02f35f034ca3858e1e54d4036443c92d' },
  resnet152: { url: `${hapi}resnet152.pdparams`, md5: '7ad16a2f1e7333859ff986138630fd7a' },
  resnext50_32x4d: { url: `${hapi}resnext50_32x4d.pdparams`, md5: 'dc47483169be7d6f018fcbb7baf8775d' },
  resnext50_64x4d: { url: `${hapi}resnext50_64x4d.pdparams`, md5: '063d4b483e12b06388529450ad7576db' },
  resnext101_32x4d: { url: `${hapi}resnext101_32x4d.pdparams`, md5: '967b090039f9de2c8d06fe994fb9095f' },
  resnext101_64x4d: { url: `${hapi}resnext101_64x4d.pdparams`, md5: '98e04e7ca616a066699230d769d03008' },
  resnext152_32x4d: { url: `${hapi}resnext152_32x4d.pdparams`, md5: '18ff0beee21f2efc99c4b31786107121' },
  resnext152_64x4d: { url: `${hapi}resnext152_64x4d.pdparams`, md5: '77c4af00ca42c405fa7f841841959379' },
  wide_resnet50_2: { url: `${hapi}wide_resnet50_2.pdparams`, md5: '0282f804d73debdab289bd9fea3fa6dc' },
  wide_resnet101_2: { url: `${hapi}wide_resnet101_2.pdparams`, md5: 'd4360a2d23657f059216f5d5a1a9ac93' },
  mobilenet_v1: { url: `${hapi}mobilenetv1_1.0.pdparams`, md5: '3033ab1975b1670bef51545feb65fc45' },
  mobilenet_v2: { url: `${hapi}mobilenet_v2_x1.0.pdparams`, md5: '0340af0a901346c8d46f4529882fb63d' },
  densenet121: { url: `${imageNet}DenseNet121_pretrained.pdparams`, md5: 'db1b239ed80a905290fd8b01d3af08e4' },
  densenet161: { url: `${imageNet}DenseNet161_pretrained.pdparams`, md5: '62158869cb315098bd25ddbfd308a853' },
  densenet169: { url: `${imageNet}DenseNet169_pretrained.pdparams`, md5: '82cc7c635c3f19098c748850efb2d796' },
  densenet201: { url: `${imageNet}DenseNet201_pretrained.pdparams`, md5: '16ca29565a7712329cf9e36e02caaf58' },
  densenet264: { url: `${imageNet}DenseNet264_pretrained.pdparams`, md5: '3270ce516b85370bba88cfdd9f60bff4' },
  squeezenet1_0: { url: `${imageNet}SqueezeNet1_0_pretrained.pdparams`, md5: '30b95af60a2178f03cf9b66cd77e1db1' },
  squeezenet1_1: { url: `${imageNet}SqueezeNet1_1_pretrained.pdparams`, md5: 'a11250d3a1f91d7131fd095ebbf09eee' },
  inception_v3: { url: `${hapi}inception_v3.pdparams`, md5: '649a4547c3243e8b59c656f41fe330b8' },
  mobilenet_v3_small: { url: `${hapi}mobilenet_v3_small_x1.0.pdparams`, md5: '34fe0e7c1f8b00b2b056ad6788d0590c' },
  mobilenet_v3_large: { url: `${hapi}mobilenet_v3_large_x1.0.pdparams`, md5: '118db5792b4e183b925d8e8e334db3df' },
  shufflenet_v2_x0_25: { url: `${hapi}shufflenet_v2_x0_25.pdparams`, md5: '1e509b4c140eeb096bb16e214796d03b' },
  shufflenet_v2_x0_33: { url: `${hapi}shufflenet_v2_x0_33.pdparams`, md5: '3d7b3ab0eaa5c0927ff1026d31b729bd' },
  shufflenet_v2_x0_5: { url: `${hapi}shufflenet_v2_x0_5.pdparams`, md5: '5e5cee182a7793c4e4c73949b1a71bd4' },
  shufflenet_v2_x1_0: { url: `${hapi}shufflenet_v2_x1_0.pdparams`, md5: '122d42478b9e81eb49f8a9ede327b1a4' },
  shufflenet_v2_x1_5: { url: `${hapi}shufflenet_v2_x1_5.pdparams`, md5: 'faced5827380d73531d0ee027c67826d' },
  shufflenet_v2_x2_0: { url: `${hapi}shufflenet_v2_x2_0.pdparams`, md5: 'cd3dddcd8305e7bcd8ad14d1c69a5784' },
  shufflenet_v2_swish: { url: `${hapi}shufflenet_v2_swish.pdparams`, md5: 'adde0aa3b023e5b0c94a68be1c394b84' },
};
