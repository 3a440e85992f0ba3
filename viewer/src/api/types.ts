/** The server's objects, named and spelt as it sends them. */

import type { ArrivalState } from "../core/arrivals";

export interface Establishment {
  readonly id: string;
  readonly name: string;
}

export interface Session {
  readonly name: string;
  readonly role: string;
  readonly establishment: Establishment;
  readonly csrf_token: string;
}

export interface Arrival {
  readonly id: string;
  readonly file_name: string;
  readonly state: ArrivalState;
  /** From 0 to 1. */
  readonly progress: number;
  /** A sentence for people, in the language asked for. */
  readonly reason: string | null;
  readonly reason_code: string | null;
  readonly seen_at: string;
  readonly slide: string | null;
  readonly size_bytes: number;
}

export type AssociatedImage = "label" | "overview" | "thumbnail";

export interface SlideSummary {
  readonly id: string;
  readonly file_name: string;
  readonly published_at: string;
  readonly scanned_at: string | null;
  readonly objective_power: number | null;
  /** Between rows, between columns. */
  readonly pixel_spacing_mm: readonly [number, number] | null;
  readonly columns: number;
  readonly rows: number;
  readonly size_bytes: number;
  readonly format: string;
  readonly associated: readonly AssociatedImage[];
}

export interface SlidePage {
  readonly items: readonly SlideSummary[];
  readonly next: string | null;
}

export interface SlideLevel {
  readonly level: number;
  readonly columns: number;
  readonly rows: number;
  readonly tile_columns: number;
  readonly tile_rows: number;
  readonly downsample: number;
  readonly transfer_syntax: string;
  readonly origin: string;
}

export interface Slide extends SlideSummary {
  readonly establishment: Establishment;
  readonly levels: readonly SlideLevel[];
  readonly study_uid: string;
  readonly series_uid: string;
  readonly source_sha256: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly serial_number: string | null;
  readonly icc: boolean;
  readonly encoding_note?: string | null;
}
