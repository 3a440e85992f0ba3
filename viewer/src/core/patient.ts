/** A patient as the banner shows one: the traits in their order, and how far they may be trusted. */

export type IdentityStatus = "PROV" | "RECUP" | "VALI" | "QUAL";
export type IdentityAttribute = "HOMA" | "DOUT" | "FICT";

export interface PatientTraits {
  readonly birth_name: string | null;
  readonly first_given_name: string | null;
  readonly given_names: string | null;
  readonly used_name: string | null;
  readonly used_given_name: string | null;
  readonly sex: string | null;
  readonly birth_date: string | null;
}

const same = (one: string, other: string): boolean =>
  one.localeCompare(other, "fr", { sensitivity: "base" }) === 0;

/** Names as registered at birth: the family name in capitals, then the first given name. */
export function birthNameOf(patient: PatientTraits): string | null {
  const parts = [patient.birth_name?.toLocaleUpperCase("fr"), patient.first_given_name];
  return parts.filter(Boolean).join(" ") || null;
}

/** The name a person goes by, only where it says something that the name at birth does not. */
export function usedNameOf(patient: PatientTraits): string | null {
  const name = patient.used_name?.trim() || null;
  const given = patient.used_given_name?.trim() || null;
  const newName = name !== null && !same(name, patient.birth_name ?? "");
  const newGiven = given !== null && !same(given, patient.first_given_name ?? "");
  if (!newName && !newGiven) return null;
  const shownGiven = given ?? patient.first_given_name;
  return [(name ?? patient.birth_name)?.toLocaleUpperCase("fr"), shownGiven]
    .filter(Boolean)
    .join(" ");
}

/** The given names after the first, where the lab knows more than one. */
export function otherGivenNamesOf(patient: PatientTraits): string | null {
  const all = patient.given_names?.trim();
  if (!all || same(all, patient.first_given_name ?? "")) return null;
  return all;
}

export interface Age {
  readonly unit: "years" | "months" | "days";
  readonly count: number;
}

/** In years; of a small child in months, of a new-born in days. Null where the date cannot be. */
export function ageOn(birthDate: string, today: Date): Age | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(birthDate);
  if (!match) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  let months = (today.getFullYear() - year) * 12 + today.getMonth() + 1 - month;
  if (today.getDate() < day) months -= 1;
  const born = Date.UTC(year, month - 1, day);
  const now = Date.UTC(today.getFullYear(), today.getMonth(), today.getDate());
  const days = Math.round((now - born) / 86_400_000);
  if (days < 0) return null;
  if (months < 1) return { unit: "days", count: days };
  return months < 24
    ? { unit: "months", count: months }
    : { unit: "years", count: Math.floor(months / 12) };
}

/** "28/03/1979" in every language: a birth date is compared with paper, figure by figure. */
export function formatBirthDate(birthDate: string): string {
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(birthDate);
  return match ? `${match[3]}/${match[2]}/${match[1]}` : birthDate;
}

/** "2 79 03 51 215 189 89", as it is printed on a card. */
export function spacedMatricule(value: string): string {
  const match = /^(.)(..)(..)(..)(...)(...)(..)$/.exec(value);
  return match ? match.slice(1).join("\u00a0") : value;
}
