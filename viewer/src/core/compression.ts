const NAMES: Readonly<Record<string, string>> = {
  "1.2.840.10008.1.2": "Implicit VR",
  "1.2.840.10008.1.2.1": "Explicit VR",
  "1.2.840.10008.1.2.4.50": "JPEG",
  "1.2.840.10008.1.2.4.51": "JPEG 12 bit",
  "1.2.840.10008.1.2.4.57": "JPEG lossless",
  "1.2.840.10008.1.2.4.70": "JPEG lossless",
  "1.2.840.10008.1.2.4.80": "JPEG-LS lossless",
  "1.2.840.10008.1.2.4.81": "JPEG-LS",
  "1.2.840.10008.1.2.4.90": "JPEG 2000 lossless",
  "1.2.840.10008.1.2.4.91": "JPEG 2000",
  "1.2.840.10008.1.2.4.110": "JPEG XL lossless",
  "1.2.840.10008.1.2.4.111": "JPEG XL",
  "1.2.840.10008.1.2.4.112": "JPEG XL",
  "1.2.840.10008.1.2.4.201": "HTJ2K lossless",
  "1.2.840.10008.1.2.4.202": "HTJ2K lossless",
  "1.2.840.10008.1.2.4.203": "HTJ2K",
};

/** What a DICOM transfer syntax is called in a laboratory; the UID itself where it has no such name. */
export function compressionName(transferSyntax: string): string {
  return NAMES[transferSyntax] ?? transferSyntax;
}

/** The different compressions among a slide's levels, base first. */
export function compressionNames(levels: readonly { readonly transfer_syntax: string }[]): string[] {
  return [...new Set(levels.map((level) => compressionName(level.transfer_syntax)))];
}
