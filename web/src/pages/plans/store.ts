/** Plans, for the page that shows them. */
import { api } from '@/api/client'
import { collection } from '@/stores/collection'
import type { Plan } from './plans'

export const plans = collection<Plan>('plan', () => api.get('/api/plans'), (a, b) => a.name.localeCompare(b.name, 'zh-CN') || a.id - b.id)
