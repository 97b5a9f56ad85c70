/**
 * How far the mean colour of a picture tells the two classes of an imported iChallenge-PM apart, without any shape.
 *
 * usage: npm run bench -- meanColour runs/results/palm
 */
import { meanColourAccuracy } from './shared/meanColour.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected the folder of an import');
const accuracy = await meanColourAccuracy(folder);
console.log(`logistic regression on the mean colour: ${(100 * accuracy).toFixed(2)} % of the validation images right`);
