import { crc32, deflateRawSync } from 'node:zlib';

/** A file for an archive, with all that archives can get wrong. */
export interface ZipPart {
  readonly name: string;
  readonly data: string | Uint8Array;
  /** Default: deflated. */
  readonly stored?: boolean;
  readonly encrypted?: boolean;
  /** Unix mode: 0o120777 is a symbolic link. */
  readonly mode?: number;
  /** A wrong checksum for the archive. */
  readonly crc32?: number;
  readonly bytes?: number;
  readonly method?: number;
  /** Entry with the data to use instead of own ones, as in overlapping bombs. */
  readonly sameDataAs?: number;
}

export function makeZip(parts: readonly ZipPart[]): Buffer {
  const pieces: Buffer[] = [];
  const central: Buffer[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const part of parts) {
    const data = Buffer.from(part.data as Uint8Array);
    const packed = part.stored ? data : deflateRawSync(data);
    const name = Buffer.from(part.name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x800 | (part.encrypted ? 1 : 0), 2);
    fields.writeUInt16LE(part.method ?? (part.stored ? 0 : 8), 4);
    fields.writeUInt32LE(part.crc32 ?? crc32(data), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(part.bytes ?? data.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const offset = part.sameDataAs === undefined ? at : offsets[part.sameDataAs];
    offsets.push(offset);
    if (part.sameDataAs === undefined) {
      const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, name, packed]);
      pieces.push(local);
      at += local.length;
    }
    const more = Buffer.alloc(14);
    more.writeUInt32LE(((part.mode ?? 0o100644) << 16) >>> 0, 6);
    more.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), fields, more, name]));
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...pieces, directory, end]);
}

/**
 * An Excel workbook with one sheet; null is an empty cell.
 *
 * @param xml rows below the others, as they stand in the file
 */
export function makeWorkbook(rows: readonly (readonly (string | number | boolean | null)[])[], xml = ''): Buffer {
  const main = 'http://schemas.openxmlformats.org';
  const cell = (value: string | number | boolean | null, row: number, column: number) => {
    const place = `r="${String.fromCharCode(65 + column)}${row + 1}"`;
    if (value === null) return '';
    if (typeof value === 'boolean') return `<c ${place} t="b"><v>${Number(value)}</v></c>`;
    if (typeof value === 'number') return `<c ${place}><v>${value}</v></c>`;
    return `<c ${place} t="inlineStr"><is><t>${value}</t></is></c>`;
  };
  const lines = rows.map((row, r) => `<row r="${r + 1}">${row.map((value, c) => cell(value, r, c)).join('')}</row>`);
  const types = `${main}/officeDocument/2006/relationships`;
  const link = (id: string, type: string, target: string) =>
    `<Relationships xmlns="${main}/package/2006/relationships"><Relationship Id="${id}" Type="${types}/${type}" ` +
    `Target="${target}"/></Relationships>`;
  const sheetMain = `xmlns="${main}/spreadsheetml/2006/main"`;
  return makeZip([
    { name: '[Content_Types].xml', data: `<Types xmlns="${main}/package/2006/content-types"/>` },
    { name: '_rels/.rels', data: link('r1', 'officeDocument', 'xl/workbook.xml') },
    {
      name: 'xl/workbook.xml',
      data: `<workbook ${sheetMain} xmlns:r="${types}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>`,
    },
    { name: 'xl/_rels/workbook.xml.rels', data: link('r1', 'worksheet', 'worksheets/sheet1.xml') },
    {
      name: 'xl/worksheets/sheet1.xml',
      data: `<worksheet ${sheetMain}><sheetData>${lines.join('')}${xml}</sheetData></worksheet>`,
    },
  ]);
}
