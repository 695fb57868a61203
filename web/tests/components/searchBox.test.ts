import { mount } from '@vue/test-utils'
import { expect, it } from 'vitest'
import { ref } from 'vue'
import SearchBox from '@/pages/parts/SearchBox.vue'

it('hands on what is typed, is labelled by its hint where it has no label, and takes the size that the page gives it', async () => {
  const text = ref('桥')
  const box = mount(SearchBox, { props: { modelValue: text.value, 'onUpdate:modelValue': (value: string) => (text.value = value), hint: '名称、地址' }, attrs: { class: 'search' } })
  const input = box.find('input')
  expect(input.element.value).toBe('桥')
  expect(input.attributes('aria-label')).toBe('名称、地址')
  expect(box.classes()).toContain('search')
  await input.setValue('桥头')
  expect(text.value).toBe('桥头')
  await box.setProps({ label: '查找设备' })
  expect(input.attributes('aria-label')).toBe('查找设备')
  expect(input.attributes('placeholder')).toBe('名称、地址')
  box.unmount()
})
