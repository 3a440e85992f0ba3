/** Quantities in words, in the reader's language. */

export type Language = "fr" | "en";

const NBSP = "\u00a0";

function number(value: number, language: Language, digits: number): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** "12.5×", with no more figures than the eye can use. */
export function formatMagnification(value: number, language: Language): string {
  const digits = value < 1 ? 2 : value < 10 ? 2 : value < 100 ? 1 : 0;
  return `${number(value, language, digits)}×`;
}

/** "1:8", or "2:1" when pixels are enlarged. */
export function formatPixelRatio(zoom: number, language: Language): string {
  const tidy = (value: number): string => number(value, language, value < 10 ? 1 : 0);
  return zoom <= 1 ? `1:${tidy(1 / zoom)}` : `${tidy(zoom)}:1`;
}

export function formatLength(lengthUm: number, language: Language): string {
  if (lengthUm >= 1000) return `${number(lengthUm / 1000, language, 2)}${NBSP}mm`;
  return `${number(lengthUm, language, 2)}${NBSP}µm`;
}

/** "+1.5 µm": a height of the focus, always with its sign. */
export function formatHeight(heightUm: number, language: Language): string {
  const format = new Intl.NumberFormat(language, {
    maximumFractionDigits: 2,
    signDisplay: "exceptZero",
  });
  return `${format.format(heightUm).replace("-", "\u2212")}${NBSP}µm`;
}

/** "15.4 × 12.0 mm", the tissue side of the glass. */
export function formatArea(widthMm: number, heightMm: number, language: Language): string {
  const digits = Math.max(widthMm, heightMm) < 1 ? 2 : 1;
  const format = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${format.format(widthMm)} × ${format.format(heightMm)}${NBSP}mm`;
}

export function formatSpacing(mppUm: number, language: Language): string {
  return `${number(mppUm, language, 4)}${NBSP}µm/px`;
}

export function formatPixels(columns: number, rows: number, language: Language): string {
  return `${number(columns, language, 0)} × ${number(rows, language, 0)}${NBSP}px`;
}

/** Decimal units, as disks and networks are sold: "1.6 GB", "1,6 Go". */
export function formatBytes(bytes: number, language: Language): string {
  const units = language === "fr" ? ["o", "ko", "Mo", "Go", "To"] : ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let index = 0;
  while (value >= 999.5 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${number(value, language, value < 10 && index > 0 ? 1 : 0)}${NBSP}${units[index]}`;
}

export function formatPercent(fraction: number, language: Language): string {
  const clamped = Math.max(0, Math.min(1, fraction));
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(
    clamped,
  );
}

/** Words for another system, which takes no line ends within them. */
export function oneLine(words: string): string {
  return words.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, " ").trim();
}
