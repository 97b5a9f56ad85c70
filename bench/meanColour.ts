/**
 * How well the mean colour of an image alone separates the two classes of an imported iChallenge-PM.
 *
 * usage: npm run bench -- meanColour runs/results/palm
 */
import { meanColourAccuracy } from './shared/meanColour.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('expected the folder of an import');
const accuracy = await meanColourAccuracy(folder);
console.log(`logistic regression on the mean colour: ${(100 * accuracy).toFixed(2)} % of the validation images right`);
