import dayjs from 'dayjs'
import utc from 'dayjs/plugin/utc'
import timezone from 'dayjs/plugin/timezone'
import relative from 'dayjs/plugin/relativeTime'
import advanced from 'dayjs/plugin/advancedFormat'
import 'dayjs/locale/fr'

export default async function main (say) {
  dayjs.extend(utc); dayjs.extend(timezone); dayjs.extend(relative); dayjs.extend(advanced)
  const at = dayjs(1772812800000)
  for (const zone of ['Europe/Paris', 'America/New_York', 'Asia/Tokyo', 'Australia/Lord_Howe']) {
    const there = at.tz(zone)
    say(there.format(), there.utcOffset(), there.format('dddd D MMMM YYYY HH:mm Do'), there.toISOString(), there.hour())
  }
  say(at.format(), at.utc().format(), dayjs.tz.guess(), at.add(3, 'weeks').format(), at.startOf('month').toISOString())
  say(dayjs.tz('2026-03-29 09:00', 'America/New_York').toISOString(), dayjs.tz('2026-11-01 01:30', 'America/New_York').toISOString())
  say(dayjs.tz('2026-07-01 08:00', 'Europe/Paris').add(6, 'month').format(), at.tz('Asia/Tokyo').startOf('day').toISOString())
  say(at.locale('fr').format('dddd D MMMM'), at.from(at.add(3, 'day')), at.locale('fr').to(at.add(2, 'hour')))
}
