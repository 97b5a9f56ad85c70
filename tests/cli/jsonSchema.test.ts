import { describe, expect, it } from 'vitest';
import { jsonKinds } from '../../src/cli/json/kinds.js';
import { runFovea as fovea, linesOf } from './run.js';
import { expectSchema } from './schema.js';

const schemaFor = async (...names: string[]) => JSON.parse((await fovea('schema', ...names)).out);

describe('fovea schema', () => {
  it('lists the kinds of objects, each with the command that prints it', async () => {
    const { code, out } = await fovea('schema');
    expect(code).toBe(0);
    for (const kind of Object.keys(jsonKinds)) {
      expect(out).toContain(`${kind}/1 `);
      const [command] = kind.split('.');
      expect((await fovea(command, '--help')).code, command).toBe(0);
    }
  });

  it('prints the schema of a kind, of a command, and of all', async () => {
    const epoch = await schemaFor('train.epoch');
    expect(epoch).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { schema: { const: 'train.epoch/1' }, event: { const: 'epoch' }, trainLoss: { type: 'number' } },
      required: expect.arrayContaining(['schema', 'event', 'epoch']),
    });
    expect(await schemaFor('train.epoch/1')).toEqual(epoch);
    const namesIn = (schema: { anyOf: { properties: { schema: { const: string } } }[] }) =>
      schema.anyOf.map(({ properties }) => properties.schema.const);
    expect(namesIn(await schemaFor('train'))).toContain('train.end/1');
    expect(namesIn(await schemaFor('data', 'palm'))).toEqual([
      'data.palm.show/1',
      'data.palm.import/1',
      'data.palm.synth/1',
    ]);
    const all = await schemaFor('all');
    expect(namesIn(all)).toHaveLength(Object.keys(jsonKinds).length);
    for (const { properties, required } of all.anyOf) {
      expect(required.length, properties.schema.const).toBeGreaterThan(1);
    }
    // A reader must not fail at fields that a later release adds.
    expect(JSON.stringify(all)).not.toContain('"additionalProperties":false');
  });

  it.each([
    ['trian', 'did you mean train?'],
    ['train.epohc', 'did you mean train.epoch?'],
    ['something else altogether', 'fovea schema lists them'],
  ])('refuses %s', async (name, message) => {
    expect(await fovea('schema', name)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(message) });
  });
});

describe('objects of --json', () => {
  it('name their schema, and have its fields', async () => {
    for (const args of [['summary', 'lenet'], ['models', 'lenet'], ['doctor']]) {
      const { out } = await fovea(...args, '--json');
      const lines = linesOf(out);
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(line.schema).toMatch(new RegExp(`^${args[0]}\\.\\w+/1$`));
    }
  });

  it('are refused by the tests if a field is missing, new or of another type', () => {
    const line = { schema: 'slim.result/1', run: 'runs/a', freed: 7 };
    expect(() => expectSchema(line)).not.toThrow();
    for (const wrong of [{ freed: -1 }, { freed: undefined }, { other: 1 }, { schema: 'slim.result/0' }]) {
      expect(() => expectSchema({ ...line, ...wrong })).toThrow();
    }
    const found = { name: 'Node', ok: true, found: 'v20' };
    const doctor = { schema: 'doctor.result/1', ok: true };
    expect(() => expectSchema({ ...doctor, findings: [found] })).not.toThrow();
    expect(() => expectSchema({ ...doctor, findings: [{ ...found, other: 1 }] })).toThrow();
  });
});
