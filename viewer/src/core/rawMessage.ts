/** A message of HL7 version 2 taken apart for reading: nothing is hidden, nothing is put right. */

export interface RawField {
  /** "PID-5"; of the header, where the first separator is itself a field, the standard's count. */
  readonly path: string;
  readonly value: string;
}

export interface RawSegment {
  readonly name: string;
  readonly fields: readonly RawField[];
  /** The line as it came, separators and all. */
  readonly text: string;
}

/** Enough for every message met; what is beyond is told by `truncated`. */
const MOST_SEGMENTS = 500;
const HEADERS = new Set(["MSH", "FHS", "BHS"]);

export interface RawMessage {
  readonly segments: readonly RawSegment[];
  readonly truncated: boolean;
}

/** Segments and their fields that are not empty. */
export function takeApart(text: string): RawMessage {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== "");
  const separator = HEADERS.has(lines[0]?.slice(0, 3) ?? "") ? (lines[0]?.[3] ?? "|") : "|";
  const segments = lines.slice(0, MOST_SEGMENTS).map((line) => segmentOf(line, separator));
  return { segments, truncated: lines.length > MOST_SEGMENTS };
}

function segmentOf(line: string, separator: string): RawSegment {
  const [name = "", ...values] = line.split(separator);
  // MSH-1 is the separator itself, so that what follows it is MSH-2.
  const first = HEADERS.has(name) ? 2 : 1;
  const fields = values.flatMap((value, index) =>
    value === "" ? [] : [{ path: `${name}-${index + first}`, value }],
  );
  const header = HEADERS.has(name) ? [{ path: `${name}-1`, value: separator }] : [];
  return { name, fields: [...header, ...fields], text: line };
}

export type Piece = { readonly text: string; readonly delimiter: boolean };

/** A value cut at its delimiters, for these to be shown as what they are. */
export function piecesOf(value: string, delimiters = "^~&"): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = "";
  for (const character of value) {
    if (!delimiters.includes(character)) {
      text += character;
      continue;
    }
    if (text) pieces.push({ text, delimiter: false });
    pieces.push({ text: character, delimiter: true });
    text = "";
  }
  if (text) pieces.push({ text, delimiter: false });
  return pieces;
}

/** The delimiters that a message declares (MSH-2), less the escape character. */
export function delimitersOf(message: RawMessage): string {
  const declared = message.segments[0]?.fields.find((field) => field.path.endsWith("-2"))?.value;
  if (!declared || declared.length < 2) return "^~&";
  return [0, 1, 3].map((place) => declared[place] ?? "").join("");
}
