/** The server's objects, named and spelt as it sends them. */

import type { ArrivalState } from "../core/arrivals";
import type { Colour, Window } from "../core/look";
import type { Finding, Verdict } from "../core/quality";
import type { SlideTiers } from "./tiers";

export interface Establishment {
  readonly id: string;
  readonly name: string;
}

/** What the server may allow an account; the names that screens ask for. */
export type Permission =
  | "view_storage"
  | "change_storage"
  | "view_retention"
  | "view_arrivals"
  | "view_cases"
  | "read_cases"
  | "assign_cases"
  | "identify_slides"
  | "view_interfaces"
  | "change_interfaces"
  | "view_messages"
  | "change_case_rules";

export interface Session {
  readonly name: string;
  readonly role: string;
  /** Permissions that the server knows and this version does not are among them. */
  readonly permissions: readonly string[];
  readonly establishment: Establishment;
  /** Of a guest: the one case that may be looked at. */
  readonly case_id?: string | null;
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
  /** Which image of its file it is ("2/3"), where the file holds several. */
  readonly scene: string | null;
  /** Null while it has not been judged. */
  readonly quality_verdict: Verdict | null;
  readonly levels: readonly SlideLevel[];
  /** Something of it is not what was written; what is shown is sound all the same. */
  readonly damaged: boolean;
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
  /** Only what is warm can be read. */
  readonly tier: "warm" | "cold" | "restoring";
}

export interface OpticalPath {
  readonly name: string | null;
  readonly illumination: "brightfield" | "fluorescence";
  readonly colour: Colour | null;
  readonly excitation_nm: number | null;
  readonly emission_nm: number | null;
  /** Null for a path of true colours. */
  readonly window: Window | null;
}

/** The grid of a heat map; its values are at `focusAddress`. */
export interface HeatMapGrid {
  readonly columns: number;
  readonly rows: number;
  /** Base pixels that each value covers, from the upper left corner. */
  readonly cell_columns: number;
  readonly cell_rows: number;
}

export interface Quality {
  readonly verdict: Verdict;
  /** The worst first. */
  readonly findings: readonly Finding[];
  readonly heat_map: HeatMapGrid | null;
}

export interface Slide extends SlideSummary {
  readonly establishment: Establishment;
  /** Where its levels lie: kept up to date, as `levels` is not. */
  readonly tiers: SlideTiers;
  readonly study_uid: string;
  readonly series_uid: string;
  readonly source_sha256: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly serial_number: string | null;
  readonly icc: boolean;
  /** Of a pixel: 3 for colours, 1 for light alone. */
  readonly samples: number;
  /** Significant bits of a sample. */
  readonly bits: number;
  readonly optical_paths: readonly OpticalPath[];
  /** Heights, rising. */
  readonly focal_planes_um: readonly number[];
  /** What the file says that the label reads. */
  readonly label_text: string | null;
  /** The file's own first, then those of the label's picture. */
  readonly barcodes: readonly (string | null)[];
  /** The first is the file's own, and the picture shows only the others. */
  readonly barcode_contradicts: boolean;
  /** What of the file is not in the slide: English sentences. */
  readonly not_kept: readonly string[];
  /** Images of the file that could not be decoded. */
  readonly left_out: readonly AssociatedImage[];
  readonly quality: Quality | null;
  readonly encoding_note?: string | null;
}
