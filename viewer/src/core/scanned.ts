/** What a hand-held reader types: keys in place of the separators that no text field takes. */

/** What stands for a GS in a text field. */
export const SEPARATOR = "\u241d";

/** Whether a reader pressed the keys that mean a GS: Ctrl and a closing bracket. */
export function isSeparator(event: {
  readonly ctrlKey: boolean;
  readonly key: string;
  readonly code: string;
}): boolean {
  return event.key === "\u001d" || (event.ctrlKey && (event.key === "]" || event.code === "BracketRight"));
}
