export { MNIST, type MNISTMirror, type MNISTOptions, type MNISTSource } from './mnist.js';
