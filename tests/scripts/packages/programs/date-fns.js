import { add, differenceInBusinessDays, eachDayOfInterval, format, formatDistance, formatISO, getISOWeek, isValid, parse, parseISO, roundToNearestMinutes } from 'date-fns'
import { fr } from 'date-fns/locale'

export default async function main (say) {
  const at = new Date(1772812800000)
  say(format(at, 'PPPPpppp'), format(at, 'PPP', { locale: fr }), formatISO(at), getISOWeek(at), add(at, { months: 1, days: 3 }).toISOString())
  say(parse('24/12/2026 18:05', 'dd/MM/yyyy HH:mm', at).toISOString(), parseISO('2026-03-29T02:30').toISOString(), isValid(parse('x', 'P', at)))
  say(differenceInBusinessDays(new Date(1782812800000), at), eachDayOfInterval({ start: at, end: add(at, { days: 2 }) }).length, formatDistance(at, add(at, { days: 5 }), { locale: fr }), roundToNearestMinutes(at).toISOString())
}
