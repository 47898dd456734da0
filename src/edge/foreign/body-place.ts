/** Where things stand in a body, as its sender finds them. */
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHOWN_NAME = 200;

/** `instances[3].age`, `instances[3]["hours-per-week"]`; at the top of a body the name alone. */
export function memberPlace(place: string, name: string): string {
  const shown = name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME).toWellFormed()}…` : name;
  if (!IDENTIFIER.test(shown)) return `${place}[${JSON.stringify(shown)}]`;
  return place === "" ? shown : `${place}.${shown}`;
}

/** Where the cells of a request's `rows` stand in the body, and where its tensors do. */
export interface RowPlaces {
  /** The list of rows. */
  readonly rows: string;
  cell(row: number, column: string): string;
}

const CELL = /^rows\[(\d+)\]\.fields\[("(?:[^"\\]|\\.)*")\]/;
const ROW = /^rows\[(\d+)\]/;

/** The place in the body of a field of the request that was made of it. */
export function placeOfField(field: string, places: RowPlaces): string {
  const cell = CELL.exec(field);
  if (cell !== null) {
    return `${places.cell(Number(cell[1]), JSON.parse(cell[2]!) as string)}${field.slice(cell[0].length)}`;
  }
  const row = ROW.exec(field);
  if (row !== null) return `${places.rows}[${row[1]}]${field.slice(row[0].length)}`;
  return /^(rows|inputs|features)\b/.test(field) ? places.rows : field;
}
