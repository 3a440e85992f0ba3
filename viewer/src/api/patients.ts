/** A scanned INS code, held against a patient. */

import { useMutation } from "@tanstack/react-query";

import { readJson } from "./client";

/** Whether a code and a patient are of one person. */
export type Whose = "same" | "another" | "cannot_tell";

export interface Comparison {
  readonly whose: Whose;
  /** By trait. */
  readonly fields: Readonly<Record<string, "same" | "differs" | "unknown">>;
}

export function useCompare(patient: string) {
  return useMutation({
    mutationFn: (code: string) =>
      readJson<Comparison>("POST", `/api/v1/patients/${encodeURIComponent(patient)}/compare`, {
        code,
      }),
  });
}
