/** A chapter of the course: a network to walk through, and the argument that breaks its program. */
export interface Chapter {
  /** Program in `course/`. */
  readonly program: string;
  /** Network of the catalogue. */
  readonly model: string;
  /** Argument of the program in the exercise. */
  readonly breaking: string;
}

/** The chapters, in the order of the tutorial. */
export const chapters: Readonly<Record<string, Chapter>> = {
  lenet: { program: 'lenet', model: 'lenet', breaking: '3' },
  eyes: { program: 'eyes', model: 'lenet224', breaking: 'relu' },
  alexnet: { program: 'alexnet', model: 'alexnet', breaking: 'sigmoid' },
  vgg: { program: 'vgg', model: 'vgg16', breaking: 'linear' },
  googlenet: { program: 'googlenet', model: 'googlenet', breaking: 'wide' },
  resnet: { program: 'resnet', model: 'resnet50', breaking: 'plain' },
  model: { program: 'model', model: 'lenet', breaking: '50' },
};
