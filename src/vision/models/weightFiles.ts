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
};
