import { TZDate, tz, tzOffset, tzScan, tzName } from '@date-fns/tz'
import { addDays, addHours, format, isSameDay, nextMonday, setHours, startOfDay } from 'date-fns'
import { de } from 'date-fns/locale'

export default async function main (say) {
  for (const zone of ['Europe/Paris', 'America/New_York', 'Asia/Tokyo', 'Australia/Lord_Howe', 'UTC']) {
    const at = new TZDate(1772812800000, zone)
    say(at.toISOString(), at.getHours(), at.getTimezoneOffset(), tzOffset(zone, new Date(1782812800000)))
    say(format(at, "EEEE d MMMM yyyy HH:mm xxx"), startOfDay(at).toISOString(), addDays(at, 30).toISOString(), setHours(at, 9).toISOString())
  }
  say(new TZDate(2026, 2, 29, 2, 30, 'Europe/Paris').toISOString(), new TZDate(2026, 10, 1, 1, 30, 'America/New_York').toISOString())
  say(addHours(new TZDate(2026, 9, 25, 1, 0, 'Europe/Paris'), 2).toISOString(), nextMonday('2026-03-06T23:00:00Z', { in: tz('Asia/Tokyo') }).toISOString())
  say(isSameDay('2026-03-06T23:30:00Z', '2026-03-07T10:00:00Z', { in: tz('Asia/Tokyo') }), format(new TZDate(0, 'Asia/Tokyo'), 'PPPP', { locale: de }))
  say(tzScan('America/New_York', { start: new Date('2026-01-01T00:00:00Z'), end: new Date('2026-12-31T00:00:00Z') }).map(each => each.date.toISOString() + each.change + each.offset).join())
}
