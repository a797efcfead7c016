// Where it is what time: questions for the time, and the time zones of places people ask for.

const zones: Readonly<Record<string, string>> = {
  accra: 'Africa/Accra',
  'addis ababa': 'Africa/Addis_Ababa',
  amsterdam: 'Europe/Amsterdam',
  athens: 'Europe/Athens',
  auckland: 'Pacific/Auckland',
  baghdad: 'Asia/Baghdad',
  bangkok: 'Asia/Bangkok',
  barcelona: 'Europe/Madrid',
  beijing: 'Asia/Shanghai',
  berlin: 'Europe/Berlin',
  bogota: 'America/Bogota',
  boston: 'America/New_York',
  brussels: 'Europe/Brussels',
  bucharest: 'Europe/Bucharest',
  budapest: 'Europe/Budapest',
  'buenos aires': 'America/Argentina/Buenos_Aires',
  cairo: 'Africa/Cairo',
  'cape town': 'Africa/Johannesburg',
  caracas: 'America/Caracas',
  casablanca: 'Africa/Casablanca',
  chicago: 'America/Chicago',
  copenhagen: 'Europe/Copenhagen',
  dallas: 'America/Chicago',
  delhi: 'Asia/Kolkata',
  denver: 'America/Denver',
  dhaka: 'Asia/Dhaka',
  dubai: 'Asia/Dubai',
  dublin: 'Europe/Dublin',
  geneva: 'Europe/Zurich',
  hamburg: 'Europe/Berlin',
  hanoi: 'Asia/Ho_Chi_Minh',
  havana: 'America/Havana',
  helsinki: 'Europe/Helsinki',
  'hong kong': 'Asia/Hong_Kong',
  honolulu: 'Pacific/Honolulu',
  istanbul: 'Europe/Istanbul',
  jakarta: 'Asia/Jakarta',
  jerusalem: 'Asia/Jerusalem',
  johannesburg: 'Africa/Johannesburg',
  karachi: 'Asia/Karachi',
  kathmandu: 'Asia/Kathmandu',
  kiev: 'Europe/Kyiv',
  kyiv: 'Europe/Kyiv',
  kinshasa: 'Africa/Kinshasa',
  kolkata: 'Asia/Kolkata',
  'kuala lumpur': 'Asia/Kuala_Lumpur',
  'la paz': 'America/La_Paz',
  lagos: 'Africa/Lagos',
  lima: 'America/Lima',
  lisbon: 'Europe/Lisbon',
  london: 'Europe/London',
  'los angeles': 'America/Los_Angeles',
  madrid: 'Europe/Madrid',
  manila: 'Asia/Manila',
  melbourne: 'Australia/Melbourne',
  'mexico city': 'America/Mexico_City',
  miami: 'America/New_York',
  milan: 'Europe/Rome',
  montevideo: 'America/Montevideo',
  montreal: 'America/Toronto',
  moscow: 'Europe/Moscow',
  mumbai: 'Asia/Kolkata',
  munich: 'Europe/Berlin',
  nairobi: 'Africa/Nairobi',
  'new york': 'America/New_York',
  oslo: 'Europe/Oslo',
  panama: 'America/Panama',
  paris: 'Europe/Paris',
  perth: 'Australia/Perth',
  prague: 'Europe/Prague',
  quito: 'America/Guayaquil',
  reykjavik: 'Atlantic/Reykjavik',
  'rio de janeiro': 'America/Sao_Paulo',
  riyadh: 'Asia/Riyadh',
  rome: 'Europe/Rome',
  'san francisco': 'America/Los_Angeles',
  santiago: 'America/Santiago',
  'sao paulo': 'America/Sao_Paulo',
  seattle: 'America/Los_Angeles',
  seoul: 'Asia/Seoul',
  shanghai: 'Asia/Shanghai',
  singapore: 'Asia/Singapore',
  sofia: 'Europe/Sofia',
  stockholm: 'Europe/Stockholm',
  sydney: 'Australia/Sydney',
  taipei: 'Asia/Taipei',
  tehran: 'Asia/Tehran',
  tokyo: 'Asia/Tokyo',
  toronto: 'America/Toronto',
  tunis: 'Africa/Tunis',
  vancouver: 'America/Vancouver',
  vienna: 'Europe/Vienna',
  warsaw: 'Europe/Warsaw',
  washington: 'America/New_York',
  zurich: 'Europe/Zurich',
  france: 'Europe/Paris',
  germany: 'Europe/Berlin',
  india: 'Asia/Kolkata',
  italy: 'Europe/Rome',
  japan: 'Asia/Tokyo',
  kenya: 'Africa/Nairobi',
  peru: 'America/Lima',
  spain: 'Europe/Madrid',
  uk: 'Europe/London',
  utc: 'UTC',
  gmt: 'UTC',
}

const names = new RegExp(
  `\\b(?:${Object.keys(zones)
    .toSorted((a, b) => b.length - a.length)
    .join('|')})\\b`,
  'g',
)
const ianaName =
  /\b(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)(?:\/[A-Z][A-Za-z_-]+){1,2}/g

export function asksForTime(clause: string): boolean {
  const plain = clause.toLowerCase().replaceAll('’', "'")
  if (
    /\btime (?:complexity|zone|travel|management)\b|\b(?:first|last|next|long|same|some|any|every) time\b/.test(plain)
  )
    return false
  if (
    /\btime (?:is|was) it\b|\btime (?:now|right now|in|at)\b|\b(?:the|current|local) (?:time|date)\b|\bo'clock\b/.test(
      plain,
    )
  )
    return true
  return /^(?:what|which|tell me|give me)\b.*\b(?:time|date|weekday|day is (?:it|today))\b/.test(plain)
}

/** IANA names of the places named, in their order, each once. */
export function findZones(clause: string): readonly string[] {
  const iana = [...clause.matchAll(ianaName)].map(([zone], index) => ({ zone, index }))
  if (iana.length > 0) return [...new Set(iana.map(({ zone }) => zone))]
  const plain = clause
    .normalize('NFD')
    .replaceAll(/\p{Mn}/gu, '')
    .toLowerCase()
  return [...new Set([...plain.matchAll(names)].map(([name]) => zones[name] ?? 'UTC'))]
}

/** A place named after "in" that is not known. */
export function unknownPlace(clause: string): string | undefined {
  const place = /\b(?:in|at) (\p{Lu}[\p{L}'-]*(?: \p{Lu}[\p{L}'-]*)*)/u.exec(clause)?.[1]
  return place !== undefined && findZones(place).length === 0 ? place : undefined
}
