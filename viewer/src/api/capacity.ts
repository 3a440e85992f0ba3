/** What is stored, and what the coming years will take. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { Activity, Forecast, StoredMonth } from "../core/capacity";
import { readJson, send } from "./client";

export interface Capacity {
  readonly items: readonly StoredMonth[];
  readonly total: {
    readonly slides: number;
    readonly size_bytes: number;
    readonly warm_bytes: number;
    readonly cold_bytes: number;
    readonly mean_size_bytes: number | null;
  };
}

/** What the last months were like; null where that cannot be said. */
export interface Seen {
  readonly since: string | null;
  readonly days: number;
  readonly slides: number;
  readonly slides_per_day: number | null;
  readonly mean_size_bytes: number | null;
  readonly growth_percent_per_year: number | null;
  readonly cold_factor: number | null;
  readonly warm_share: number | null;
}

export interface KnownActivity {
  readonly activity: Activity;
  readonly typed_in: boolean;
  readonly offered: Activity;
  readonly seen: Seen;
}

const ADDRESS = "/api/v1/capacity";
const keys = {
  capacity: ["capacity"] as const,
  activity: ["capacity", "activity"] as const,
  forecast: (activity: Activity | null) => ["capacity", "forecast", activity] as const,
};

export function useCapacity() {
  return useQuery({
    queryKey: keys.capacity,
    queryFn: ({ signal }) => readJson<Capacity>("GET", ADDRESS, undefined, signal),
  });
}

export function useActivity() {
  return useQuery({
    queryKey: keys.activity,
    queryFn: ({ signal }) =>
      readJson<KnownActivity>("GET", `${ADDRESS}/activity`, undefined, signal),
    // What is being typed is not replaced by what is kept.
    refetchOnWindowFocus: false,
  });
}

export function useKeepActivity() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (activity: Activity) =>
      readJson<KnownActivity>("PUT", `${ADDRESS}/activity`, activity),
    onSuccess: (known) => client.setQueryData(keys.activity, known),
  });
}

/** The last forecast stays while another is made. */
export function useForecast(activity: Activity | null) {
  return useQuery({
    queryKey: keys.forecast(activity),
    queryFn: ({ signal }) => readJson<Forecast>("POST", `${ADDRESS}/forecast`, activity, signal),
    enabled: activity !== null,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

export async function readForecastCsv(activity: Activity): Promise<Blob> {
  const response = await send("POST", `${ADDRESS}/forecast.csv`, activity);
  return response.blob();
}

export function capacityCsvAddress(language: string): string {
  return `${ADDRESS}.csv?lang=${encodeURIComponent(language)}`;
}
