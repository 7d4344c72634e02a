import { DateTime, Duration, IANAZone, Info, Interval, Settings } from 'luxon'

export default async function main (say) {
  const at = DateTime.fromMillis(1772812800000)
  for (const zone of ['Europe/Paris', 'America/New_York', 'Asia/Tokyo', 'Australia/Lord_Howe', 'utc', 'UTC+5:30']) {
    const there = at.setZone(zone)
    say(there.toISO(), there.offset, there.zoneName, there.isInDST, there.toFormat('yyyy LLL dd HH:mm ZZ ccc a o W'))
  }
  say(at.toISO(), at.zoneName, Settings.defaultZone.isValid)
  say(DateTime.fromISO('2026-03-29T02:30', { zone: 'Europe/Paris' }).toISO(), DateTime.fromISO('2026-10-25T02:30', { zone: 'Europe/Paris' }).toISO())
  say(DateTime.fromObject({ year: 2026, month: 11, day: 1, hour: 1 }, { zone: 'America/New_York' }).plus({ hours: 1 }).toISO())
  say(DateTime.fromISO('2026-03-07T12:00', { zone: 'America/New_York' }).plus({ days: 1 }).toISO(), at.startOf('week').toISO(), at.endOf('month').toISO())
  say(DateTime.fromFormat('24/12/2026 18:05', 'dd/MM/yyyy HH:mm', { zone: 'Asia/Tokyo' }).toUTC().toISO())
  say(DateTime.fromISO('x').isValid, DateTime.fromISO('2026-01-01', { zone: 'Mars/Base' }).invalidReason, IANAZone.isValidZone('Europe/Paris'), IANAZone.isValidZone('Mars/Base'))
  say(Duration.fromISO('PT36H').shiftTo('days', 'hours').toISO(), Interval.after(at, { days: 2 }).length('hours'))
  say(at.setLocale('fr').toLocaleString(DateTime.DATE_FULL), at.setLocale('de').toLocaleString(DateTime.DATETIME_SHORT), at.setLocale('en-GB').toFormat('cccc d LLLL'))
  say(Info.months('long', { locale: 'de' }).join(), Info.weekdays('short', { locale: 'fr' }).join())
  say(at.diff(DateTime.fromMillis(1772000000000), ['days', 'hours']).toObject().days, at.hasSame(at.plus({ hours: 1 }), 'day'), at.toRFC2822(), at.toHTTP())
}
